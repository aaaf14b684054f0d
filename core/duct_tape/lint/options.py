"""What is wrong with a class of the configuration: that of an instance, or of a trigger's settings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import attrs
from attrs.exceptions import FrozenInstanceError

from duct_tape.conf.schema import type_schema
from duct_tape.lint.finding import Finding
from duct_tape.lint.places import of_class
from duct_tape.secret import Secret

# Keys of the core's own in the same table.
INSTANCE_KEYS = ("use", "allow_from")
TRIGGER_KEYS = ("action",)

_MUTABLE = {list: "tuple[X, ...]", set: "tuple[X, ...]", dict: "Mapping[str, X]", bytearray: "str"}
_SECRET = re.compile(r"(^|_)(secrets?|tokens?|passwords?|passwd|passphrase|credentials?|(api|private|signing)_?key)$")


def examined(cls: Any, owner: str, taken: tuple[str, ...]) -> Iterator[Finding]:
    """Everything that is wrong with a class, and with those that its keys have.

    :param owner: who asks for it, for messages.
    :param taken: the keys that cannot be its own.
    """
    if not (isinstance(cls, type) and attrs.has(cls)):
        file, line = of_class(cls) if isinstance(cls, type) else ("", 0)
        message = f"the class of {owner} is no attrs class"
        yield Finding(rule="config-class", message=message, hint="write `@frozen(kw_only=True)`", file=file, line=line)
        return
    seen: set[type] = set()
    waiting = [cls]
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            yield from _class(one, taken if one is cls else ())
            waiting += [inner for kind in types_of(one).values() for inner in leaves(kind) if _is_table(inner)]


def types_of(cls: type) -> dict[str, Any]:
    """The type of each key; empty where the annotations cannot be read."""
    try:
        hints = get_type_hints(cls)
    except Exception:
        return {}
    return {field.name: hints[field.name] for field in attrs.fields(cls) if field.init and field.name in hints}


def leaves(kind: Any) -> Iterator[Any]:
    """The types that a type is made of."""
    if get_origin(kind) is Literal:
        return
    inner = [item for item in get_args(kind) if item not in (Ellipsis, NoneType)]
    if get_origin(kind) is None or not inner:
        yield kind
    for item in inner:
        yield from leaves(item)


def is_frozen(cls: type) -> bool:
    """Whether the attributes of its instances stay as they are."""
    blank: Any = object.__new__(cls)
    try:
        setattr(blank, attrs.fields(cls)[0].name if attrs.fields(cls) else "x", None)
    except FrozenInstanceError:
        return True
    except Exception:
        return False
    return False


def _class(cls: type, taken: tuple[str, ...]) -> Iterator[Finding]:
    if not is_frozen(cls):
        yield _found("config-frozen", cls, "", f"`{cls.__name__}` can be changed", "write `@frozen(kw_only=True)`")
    if not (cls.__doc__ or "").strip():
        message = f"`{cls.__name__}` does not say what it configures"
        yield _found("config-help", cls, "", message, "write a docstring: the reference page and editors show it")
    kinds = types_of(cls)
    for field in (field for field in attrs.fields(cls) if field.init):
        if field.name in taken:
            message = f"the key `{field.name}` is Duct Tape's own, and never gets here"
            yield _found("config-key", cls, field.name, message, "call it otherwise")
        if not field.metadata.get("help"):
            message = f"nothing says what `{field.name}` means"
            yield _found("config-help", cls, field.name, message, 'write `= option("…")`: it is shown by editors')
        if field.name in kinds:
            yield from _key(cls, field.name, kinds[field.name])
        else:
            message = f"the type of `{field.name}` is missing or cannot be read"
            yield _found(
                "config-type", cls, field.name, message, f"write `{field.name}: str = option(…)`, for instance"
            )


def _key(cls: type, name: str, kind: Any) -> Iterator[Finding]:
    if problem := type_problem(kind):
        yield _found("config-type", cls, name, f"`{name}` {problem[0]}", problem[1])
    if _SECRET.search(name) and str in set(leaves(kind)):
        message = f"`{name}` would stand in the configuration for everybody to read, and in logs"
        yield _found("config-secret", cls, name, message, "make it a `Secret`")


def type_problem(kind: Any) -> tuple[str, str] | None:
    """What is wrong with a key's type and what to do about it, or None.

    It allows what the reader of ``conf/structure.py`` reads.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return "can be anything", "say which type it has"
    mutable = next((other for other in _MUTABLE if other in (kind, origin)), None)
    if mutable:
        return f"is a {mutable.__name__}, which can be changed", f"write `{_MUTABLE[mutable]}`"
    if origin in (Union, UnionType):
        kinds = [item for item in arguments if item is not NoneType]
        return type_problem(kinds[0]) if len(kinds) == 1 else ("can be of several types", "only `X | None` is read")
    if origin is tuple:
        good = len(arguments) == 2 and arguments[1] is Ellipsis
        return type_problem(arguments[0]) if good else ("is a tuple of a fixed length", "write `tuple[X, ...]`")
    if isinstance(origin, type) and issubclass(origin, Mapping):
        # Texts for templates and the like may be of any kind.
        return None if arguments[1] is Any else type_problem(arguments[1])
    if kind in (tuple, Mapping) or not type_schema(kind):
        return (
            f"has a type that the reader does not know: {getattr(kind, '__name__', kind)}",
            "see docs/reference/hooks.md",
        )
    return None


def _is_table(kind: Any) -> bool:
    return (
        isinstance(kind, type) and attrs.has(kind) and kind is not Secret and type_schema(kind).get("type") == "object"
    )


def _found(rule: str, cls: type, key: str, message: str, hint: str) -> Finding:
    file, line = of_class(cls, key)
    return Finding(rule=rule, message=message, hint=hint, file=file, line=line)
