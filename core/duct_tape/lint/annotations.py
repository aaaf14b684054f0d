"""Whether an annotation can be true of what a hook is given, or has to return."""

from __future__ import annotations

import collections.abc
import inspect
import typing
from collections.abc import Callable
from types import NoneType, UnionType
from typing import Annotated, Any, ForwardRef, NewType, TypeVar, Union, get_args, get_origin

from duct_tape import api, hookspecs


def hints(function: Callable[..., Any]) -> dict[str, Any]:
    """The function's annotations by argument; without those that cannot be looked up here.

    Names that are imported for type checkers only are those of the API, as a rule.
    """
    known = {**vars(typing), **vars(collections.abc), **vars(hookspecs), **vars(api)}
    found: dict[str, Any] = {}
    for name, annotation in inspect.get_annotations(inspect.unwrap(function)).items():
        holder = type("Holder", (), {"__annotations__": {name: annotation}})
        try:
            found |= typing.get_type_hints(holder, {**known, **inspect.unwrap(function).__globals__})
        except Exception:  # noqa: S112 - an annotation may be any expression
            continue
    return found


def fits(given: Any, wanted: Any) -> bool:
    """Whether every value of the type ``given`` can be one of ``wanted``; in doubt it is."""
    given, wanted = _plain(given), _plain(wanted)
    if given is Any or wanted is Any or wanted is object or _unknown(given) or _unknown(wanted):
        return True
    if _is_union(given):
        return all(fits(item, wanted) for item in get_args(given))
    if _is_union(wanted):
        return any(fits(given, item) for item in get_args(wanted))
    inner, outer = get_origin(given) or given, get_origin(wanted) or wanted
    if not (isinstance(inner, type) and isinstance(outer, type)):
        return True
    try:
        if not issubclass(inner, outer):
            return False
    except TypeError:
        return True
    return _arguments_fit(_arguments(given), _arguments(wanted))


def _arguments_fit(given: tuple[Any, ...], wanted: tuple[Any, ...]) -> bool:
    if len(given) != len(wanted):
        return True
    return all(fits(one, other) for one, other in zip(given, wanted, strict=True))


def _arguments(kind: Any) -> tuple[Any, ...]:
    arguments = get_args(kind)
    return arguments[:1] if arguments[1:] == (Ellipsis,) else arguments


def _plain(kind: Any) -> Any:
    if get_origin(kind) is Annotated:
        return _plain(get_args(kind)[0])
    if isinstance(kind, NewType):
        return _plain(kind.__supertype__)
    return NoneType if kind is None else kind


def _is_union(kind: Any) -> bool:
    return get_origin(kind) in (Union, UnionType)


def _unknown(kind: Any) -> bool:
    return isinstance(kind, TypeVar | ForwardRef | str) or kind in (typing.Self, typing.Never, typing.NoReturn)
