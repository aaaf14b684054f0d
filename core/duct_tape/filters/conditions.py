"""What a filter is made of: values of a delivery, comparisons without coercion, and the logic of Kleene."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

from attrs import frozen

from duct_tape.types import Variables

# Longer texts are no names; a pattern with many stars would be slow on them.
MAX_MATCHED = 1000

_KINDS = {bool: "true or false", int: "a number", float: "a number", str: "text", dict: "an object", list: "a list"}


@frozen
class Unknown:
    """Neither true nor false: the delivery does not say it, or says it in another type."""

    reason: str


# True, false or unknown, in the logic of Kleene: `x or true` is true whatever is known of x.
Truth: TypeAlias = bool | Unknown
Reading: TypeAlias = Callable[[Variables], Any]
Condition: TypeAlias = Callable[[Variables], Truth]


@frozen
class Operand:
    """One side of a comparison.

    :param shown: as it is written.
    :param literal: whether it is written out in the filter.
    """

    shown: str
    read: Reading
    literal: bool = False


def shown(keys: list[str | int]) -> str:
    return str(keys[0]) + "".join(f".{key}" if isinstance(key, str) else f"[{key}]" for key in keys[1:])


def reading(values: Any, keys: list[str | int]) -> Any:
    for key in keys:
        fits = isinstance(values, list) if isinstance(key, int) else hasattr(values, "keys")
        try:
            values = values[key] if fits else None
        except (LookupError, TypeError):
            values = None
        if values is None:
            return Unknown(f"there is no value for `{shown(keys)}`")
    return values


def combined(parts: Sequence[Condition], values: Variables, deciding: bool) -> Truth:
    unknown: Unknown | None = None
    for part in parts:
        truth = part(values)
        if isinstance(truth, Unknown):
            unknown = unknown or truth
        elif truth is deciding:
            return deciding
    return unknown or not deciding


def negation(condition: Condition) -> Condition:
    def negated(values: Variables) -> Truth:
        truth = condition(values)
        return truth if isinstance(truth, Unknown) else not truth

    return negated


def boolean(operand: Operand, values: Variables) -> Truth:
    value = operand.read(values)
    return (
        value
        if isinstance(value, (bool, Unknown))
        else Unknown(f"`{operand.shown}` is {_kind(value)}, not true or false")
    )


def comparison(word: str, left: Operand, right: Operand) -> Condition:
    compare = COMPARISONS[word]

    def compared(values: Variables) -> Truth:
        one, other = left.read(values), right.read(values)
        for value in (one, other):
            if isinstance(value, Unknown):
                return value
        truth = compare(one, other)
        if truth is None:
            return Unknown(_misfit(word, left, right, one, other))
        return truth

    return compared


def _misfit(word: str, left: Operand, right: Operand, one: Any, other: Any) -> str:
    if word == "matches" and isinstance(one, str):
        return f"`{left.shown}` is longer than {MAX_MATCHED} characters"
    said = f"`{left.shown} {word} {right.shown}` compares"
    if word == "matches":
        return f"{said} {_kind(one)} with a pattern"
    if word in ("in", "contains"):
        where, members = (right, other) if word == "in" else (left, one)
        if not isinstance(members, list):
            return f"`{where.shown}` is {_kind(members)}, not a list"
        return f"{said} with members of another type"
    return f"{said} {_kind(one)} with {_kind(other)}"


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), "something else")


def _same(one: Any, other: Any) -> bool | None:
    # `1 == True` in Python.
    return one == other if _kind(one) == _kind(other) and not isinstance(one, (dict, list)) else None


def _different(one: Any, other: Any) -> bool | None:
    same = _same(one, other)
    return None if same is None else not same


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool | None]:
    return lambda one, other: compare(one, other) if _kind(one) == _kind(other) == "a number" else None


def _within(one: Any, other: Any) -> bool | None:
    if not isinstance(other, list):
        return None
    # As `one == a or one == b`: a list of objects does not say that a text is not in it.
    same = [_same(one, item) for item in other]
    return True if True in same else None if None in same else False


def _matching(one: Any, patterns: list[str]) -> bool | None:
    if not isinstance(one, str) or len(one) > MAX_MATCHED:
        return None
    return any(fnmatchcase(one, pattern) for pattern in patterns)


COMPARISONS: dict[str, Callable[[Any, Any], bool | None]] = {
    "==": _same,
    "!=": _different,
    "<": _ordered(lambda one, other: one < other),
    "<=": _ordered(lambda one, other: one <= other),
    ">": _ordered(lambda one, other: one > other),
    ">=": _ordered(lambda one, other: one >= other),
    "in": _within,
    "contains": lambda one, other: _within(other, one),
    "matches": _matching,
}
