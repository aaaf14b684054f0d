"""Payloads in which one value is of another type, for every integration."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

ABSENT = object()
VALUES: tuple[Any, ...] = (None, True, False, 0, -1, 10**30, 1.5, "", "x", "false", [], ["x"], {}, {"x": 1}, ABSENT)


def paths(value: Any, above: str = "") -> Iterator[str]:
    """Every key at every depth, as a dotted path."""
    for key, item in value.items() if isinstance(value, dict) else ():
        here = f"{above}.{key}" if above else key
        yield here
        yield from paths(item, here)


def replaced(payload: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with another value at a dotted path, or none."""
    result: dict[str, Any] = json.loads(json.dumps(payload))
    *parents, last = path.split(".")
    table = result
    for key in parents:
        table = table[key]
    if value is ABSENT:
        del table[last]
    else:
        table[last] = value
    return result


def mistyped(payload: Mapping[str, Any], read: Mapping[str, tuple[type, ...]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every value that is read, replaced by each that is of none of its types. An absent one counts as null."""
    for path, types in read.items():
        for value in VALUES:
            if type(None if value is ABSENT else value) not in types:
                yield f"{path} = {value!r}", replaced(payload, path, value)


def unread(payload: Mapping[str, Any], read: Mapping[str, tuple[type, ...]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every value that is not read, replaced by anything."""
    for path in paths(payload):
        if path not in read:
            for value in VALUES:
                yield f"{path} = {value!r}", replaced(payload, path, value)
