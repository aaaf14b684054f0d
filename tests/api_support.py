"""The contract with plugins as text: every name that they may import, with types, so that a change shows in a diff."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from enum import Enum
from types import ModuleType
from typing import Any

import attrs

OURS = "duct_tape"
# What people see of a class beside its public names.
SPECIAL = ("__init__", "__call__", "__enter__", "__exit__", "__getattr__")


def described(module: ModuleType) -> str:
    """All public names of a module, sorted, one paragraph each."""
    names = sorted(module.__all__, key=str.lower)
    return "\n\n".join("\n".join(_public(name, getattr(module, name))) for name in names)


def signature(name: str, function: Callable[..., Any]) -> str:
    """A function's signature as one would write it: kinds of parameters, annotations and defaults."""
    found = inspect.signature(function)
    parameters = [item.replace(annotation=_annotation(item.annotation)) for item in found.parameters.values()]
    shown = _Text(_annotation(found.return_annotation))
    prefix = "async " if inspect.iscoroutinefunction(function) else ""
    return f"{prefix}def {name}{found.replace(parameters=parameters, return_annotation=shown)}"


class _Text(str):
    """Text that is its own repr, as which ``inspect`` prints an annotation."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _public(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, type):
        yield from _class(name, value)
    elif inspect.isfunction(value):
        yield signature(name, value)
    elif hasattr(value, "__supertype__"):
        yield f"{name} = NewType({value.__supertype__.__name__})"
    elif isinstance(value, tuple | str | int | float):
        yield f"{name} = {value!r}"
    elif type(value).__module__ in ("types", "typing"):
        yield f"{name} = {_annotation(value)}"
    else:
        yield f"{name}: {type(value).__name__}"


def _class(name: str, cls: type) -> Iterator[str]:
    bases = ", ".join(base.__name__ for base in cls.__bases__ if base is not object)
    yield f"class {name}({bases})" if bases else f"class {name}"
    members = list(_fields(cls))
    if issubclass(cls, Enum):
        members += [f"{item.name} = {item.value!r}" for item in cls]
    else:
        members += [line for key, value in sorted(_own(cls).items()) for line in _member(key, value)]
    yield from (f"    {line}" for line in members)


def _fields(cls: type) -> Iterator[str]:
    """What a data class is made from, in the order of its parameters."""
    if not attrs.has(cls):
        return
    # As written: cattrs puts resolved types into the fields of what it has structured.
    written = {key: kind for base in reversed(cls.__mro__) for key, kind in inspect.get_annotations(base).items()}
    for field in (field for field in attrs.fields(cls) if field.init):
        default = "" if field.default is attrs.NOTHING else f" = {_default(field.default)}"
        keyword = "" if field.kw_only else "positional "
        yield f"{keyword}{field.alias}: {_annotation(written[field.name])}{default}"


def _default(value: Any) -> str:
    if isinstance(value, attrs.Factory):  # type: ignore[arg-type]
        return f"{getattr(value.factory, '__name__', '…')}()"
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if inspect.isfunction(value):
        return "function"
    return str(getattr(value, "__name__", repr(value)))


def _own(cls: type) -> dict[str, Any]:
    """The public members of the class and of its bases of ours, without what attrs writes."""
    bases = [base for base in reversed(cls.__mro__) if base.__module__.partition(".")[0] == OURS]
    found = {key: value for base in bases for key, value in vars(base).items()}
    fields = {field.name for field in attrs.fields(cls)} if attrs.has(cls) else set()
    special = () if attrs.has(cls) else SPECIAL
    return {
        key: value for key, value in found.items() if key not in fields and (key in special or not key.startswith("_"))
    }


def _member(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, property) and value.fget is not None:
        yield f"{name}: {_annotation(inspect.signature(value.fget).return_annotation)} (property)"
    elif isinstance(value, classmethod | staticmethod):
        yield f"@{type(value).__name__} {signature(name, value.__func__)}"
    elif inspect.isfunction(value):
        yield signature(name, value)


def _annotation(value: Any) -> Any:
    if value is inspect.Parameter.empty or isinstance(value, _Text):
        return value
    if isinstance(value, str):
        return _Text(value)
    if isinstance(value, type) and not hasattr(value, "__args__"):
        return _Text(value.__name__)
    return _Text(str(value).replace("typing.", ""))
