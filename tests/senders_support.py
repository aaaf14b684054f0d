"""What the tests of all senders share: payloads that were really sent, and payloads with one value replaced."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from duct_tape.api import Decision, Ignored, MalformedError, Pong, RawDelivery, Receiver, Runs

# Data of others, which lies beside the repository and not in it.
PAYLOADS = Path(__file__).parents[2] / "shared" / "payloads"
needs_payloads = pytest.mark.skipif(not PAYLOADS.is_dir(), reason="real payloads: there are none in ../shared/payloads")

ABSENT = object()
VALUES: tuple[Any, ...] = (None, True, 0, 1.5, "x", [], {}, ABSENT)
ODD = (*VALUES, False, -1, 10**30, "", "false", ["x"], {"x": 1})


def payloads(*folders: str) -> list[str]:
    """The files of some senders, as paths below ``PAYLOADS``."""
    found = (path for folder in folders for path in (PAYLOADS / folder).rglob("*.json"))
    return sorted(str(path.relative_to(PAYLOADS)) for path in found)


def paths(value: Any, path: str = "") -> Iterator[str]:
    """Every key and place at every depth, such as ``changes.0.ref``."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        here = f"{path}.{key}" if path else str(key)
        yield here
        yield from paths(item, here)


def replaced(payload: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The payload with another value at a path."""
    result: dict[str, Any] = json.loads(json.dumps(payload))
    *parents, last = (int(key) if key.isdigit() else key for key in path.split("."))
    table: Any = result
    for key in parents:
        table = table[key]
    if value is ABSENT:
        del table[last]
    else:
        table[last] = value
    return result


def decided(receiver: Receiver, delivery: RawDelivery) -> tuple[Decision, ...]:
    """What comes of a delivery once it is signed, by all the functions that the server calls."""
    signed = receiver.verifier.sign(delivery)
    receiver.verifier.admit(signed)
    receiver.verifier.verify(signed)
    return tuple(decision for _, decision in receiver.understood(signed))


def told(receiver: Receiver, delivery: RawDelivery) -> str:
    """The same in one word or sentence: titles of what is deployed, the reason why nothing is, or ``malformed``."""
    try:
        decisions = decided(receiver, delivery)
    except MalformedError:
        return "malformed"
    return ", ".join(_said(decision) for decision in decisions)


def _said(decision: Decision) -> str:
    if isinstance(decision, Ignored):
        return decision.reason
    if isinstance(decision, Pong):
        return f"pong: {decision.message}"
    assert isinstance(decision, Runs)
    return decision.title


def same(one: Any, other: Any) -> bool:
    """Equal, and of the same type."""
    return type(one) is type(other) and (one is other or one == other)


def wrongly_deployed(
    receiver: Receiver, payload: dict[str, Any], event: str, read: dict[str, tuple[Any, ...]]
) -> list[tuple[str, Any]]:
    """Where a replaced value changed what is deployed although it may not, or deployed although it is mistyped.

    :param read: the paths that are read, each with the values among ``VALUES`` that are well-formed there.
    """

    def outcome(changed: dict[str, Any]) -> str:
        return told(receiver, receiver.simulated(event, json.dumps(changed).encode()))

    right = outcome(payload)
    assert set(read) <= set(paths(payload))
    wrong = []
    for path in paths(payload):
        for value in VALUES:
            found = outcome(replaced(payload, path, value))
            if path not in read:
                good = found == right or any(path.startswith(f"{other}.") for other in read)
            elif any(same(value, fine) for fine in read[path]):
                good = found != "malformed"
            else:
                good = found == "malformed"
            if not good:
                wrong.append((path, "absent" if value is ABSENT else value))
    return wrong


def mistyped(payload: Mapping[str, Any], read: Mapping[str, tuple[type, ...]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every value that is read, replaced by each that is of none of its types. An absent one counts as null."""
    for path, types in read.items():
        for value in ODD:
            if type(None if value is ABSENT else value) not in types:
                yield f"{path} = {value!r}", replaced(payload, path, value)


def unread(payload: Mapping[str, Any], read: Mapping[str, tuple[type, ...]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every value that is not read, replaced by anything."""
    for path in paths(payload):
        if path not in read:
            for value in ODD:
                yield f"{path} = {value!r}", replaced(payload, path, value)
