"""Strict decoding of request bodies. Total functions: any bytes give a value or a ``MalformedError``."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn, TypeVar, overload
from urllib.parse import parse_qsl

from duct_tape.errors import MalformedError
from duct_tape.types import JSONObject

# Real payloads nest less than ten levels; Python's own decoder gives up with a RecursionError at about 1,000.
MAX_DEPTH = 64
# Longer numbers take quadratic time to convert; no sender needs more than 64 bits.
MAX_NUMBER_DIGITS = 40
# Decoded, an empty object takes thirty times its two bytes. A real payload of 25 MB has far fewer of either.
MAX_CONTAINERS = 500_000
MAX_COMMAS = 2_000_000

_SURROGATE = re.compile(r"[\ud800-\udfff\x00]")
# Possessive (`*+`): nothing is remembered for going back, which for one text of 25 MB took 3 GB of memory.
_BRACKETS = re.compile(rb'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+"?+)++|[\[{]|[\]}]', re.DOTALL)

T = TypeVar("T")


def parse_json(body: bytes) -> JSONObject:
    """The JSON object in ``body``.

    Strict where Python's decoder is not: UTF-8 only (no BOM, no UTF-16), no duplicate keys, no NaN or
    Infinity, bounded depth, numbers and members, no lone surrogates and no NUL, and the root is an object.

    :raises MalformedError: it is anything else.
    """
    _check_size(body)
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_int=_integer,
            parse_float=_float,
        )
    except (ValueError, RecursionError):
        raise MalformedError("the body is not JSON in UTF-8") from None
    if not isinstance(value, dict):
        raise MalformedError("the body is not a JSON object")
    _check_text(value)
    return value


def parse_form(body: bytes, field: str) -> bytes:
    """The value of the one field ``field`` of a form body, as bytes.

    :raises MalformedError: the body is not a form, or has that field not exactly once.
    """
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=16,
        )
    except ValueError:
        raise MalformedError("the body is not a form") from None
    found = [value for name, value in pairs if name == field]
    if len(found) != 1:
        raise MalformedError(f"the form has the field `{field}` {len(found)} times instead of once")
    return found[0].encode("utf-8")


@overload
def member(data: JSONObject, path: str, kind: type[T]) -> T: ...
@overload
def member(data: JSONObject, path: str, kind: type[T], *, null: bool) -> T | None: ...
def member(data: JSONObject, path: str, kind: type[T], *, null: bool = False) -> T | None:
    """The value at a dotted path, which must be of exactly this type; nothing is coerced.

    :param null: whether null, or an absent key, is fine too; then None is returned.
    :raises MalformedError: it is missing or of another type (``"false"`` is not ``false``).
    """
    value: Any = data
    for key in path.split("."):
        if value is None:
            break
        # `"author": "x"` is not an absent author.
        value = value.get(key) if isinstance(value, dict) else _WRONG
    if value is None and null:
        return None
    # `type() is`, since True is an instance of int.
    if type(value) is not kind:
        raise MalformedError(f"`{path}` is missing or is not {_NAMES.get(kind, kind.__name__)}")
    return value


_WRONG = object()
_NAMES: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number with a fraction",
    str: "text",
    dict: "an object",
    list: "a list",
}


def _check_size(body: bytes) -> None:
    if body.count(b",") > MAX_COMMAS:
        raise MalformedError(f"the JSON has more than {MAX_COMMAS} members")
    depth = containers = 0
    for match in _BRACKETS.finditer(body):
        first = match.group()[:1]
        if first in b"[{":
            depth += 1
            containers += 1
            if depth > MAX_DEPTH:
                raise MalformedError(f"the JSON is nested deeper than {MAX_DEPTH} levels")
            if containers > MAX_CONTAINERS:
                raise MalformedError(f"the JSON has more than {MAX_CONTAINERS} objects and lists")
        elif first in b"]}":
            depth -= 1


def _check_text(value: Any) -> None:
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            if _SURROGATE.search(item):
                raise MalformedError("a text in the JSON holds NUL or half a character")
        elif isinstance(item, dict):
            pending.extend(item.keys())
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise MalformedError("the JSON holds a key twice in one object")
    return result


def _constant(text: str) -> NoReturn:
    raise MalformedError(f"{text} is not JSON")


def _integer(text: str) -> int:
    if len(text) > MAX_NUMBER_DIGITS:
        raise MalformedError("the JSON holds a number that is too long")
    return int(text)


def _float(text: str) -> float:
    value = float(text[: MAX_NUMBER_DIGITS * 2])
    if len(text) > MAX_NUMBER_DIGITS * 2 or value in (float("inf"), float("-inf")):
        raise MalformedError("the JSON holds a number that is too long")
    return value
