"""One answer of what is said about one event or several."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest
from attrs import evolve
from tests.server_support import event, run

from duct_tape.delivery import Pong
from duct_tape.errors import MalformedError
from duct_tape.journal import Acceptance
from duct_tape.web.receive import MAX_EVENTS, numbered
from duct_tape.web.said import ORDER, Said, together

RUN = {"id": "run-1", "application": "app", "trigger": "deploy"}
ACCEPTED = Said(status="accepted", delivery="a", runs=(RUN,))
DUPLICATE = Said(status="duplicate", delivery="b", runs=({"id": "run-0"},))
PONG = Said.pong("c", Pong(configured=True, message="hello"))
IGNORED = Said.ignored("d", "a draft")


def told(*said: Said) -> tuple[int, dict[str, Any]]:
    response = together(said)
    return response.status_code, json.loads(bytes(response.body))


@pytest.mark.parametrize(
    ("said", "code", "members"),
    [
        (ACCEPTED, 202, {"status": "accepted", "delivery": "a", "runs": [RUN]}),
        (DUPLICATE, 200, {"status": "duplicate", "delivery": "b", "runs": [{"id": "run-0"}]}),
        (PONG, 200, {"status": "pong", "delivery": "c", "configured": True, "message": "hello"}),
        (IGNORED, 200, {"status": "ignored", "delivery": "d", "reason": "a draft"}),
    ],
)
def test_one_event(said: Said, code: int, members: dict[str, Any]) -> None:
    assert told(said) == (code, members)


def test_what_the_journal_says() -> None:
    accepted = Said.accepted("a", Acceptance(runs=(run(1),)))
    assert accepted == ACCEPTED
    assert Said.duplicate("b", Acceptance(runs=(), duplicates=("run-0",))) == DUPLICATE


@pytest.mark.parametrize("said", list(permutations([ACCEPTED, DUPLICATE, PONG, IGNORED])))
def test_of_several_the_one_that_says_most_goes_first(said: tuple[Said, ...]) -> None:
    rest = list(said)
    for status in ORDER:
        code, members = told(*rest)
        assert members["status"] == status
        assert code == (202 if status == "accepted" else 200)
        # The sender knows the delivery by the first event's id.
        assert members["delivery"] == rest[0].delivery
        rest = [one for one in rest if one.status != status]


def test_the_runs_of_several_are_told_together() -> None:
    other = {**RUN, "id": "run-2"}
    several = (IGNORED, ACCEPTED, DUPLICATE, evolve(ACCEPTED, delivery="e", runs=(other,)))
    assert told(*several) == (202, {"status": "accepted", "delivery": "d", "runs": [RUN, other]})


def test_the_reasons_of_several_are_told_once_each() -> None:
    several = (IGNORED, Said.ignored("e", "a prerelease"), IGNORED)
    assert told(*several) == (200, {"status": "ignored", "delivery": "d", "reason": "a draft; a prerelease"})


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (["a"], ["a"]),
        (["a", "a"], ["a", "a/2"]),
        (["a"] * 4, ["a", "a/2", "a/3", "a/4"]),
        (["a", "b", "c"], ["a", "b", "c"]),
        (["a", "b", "a"], ["a", "a/2", "a/3"]),
        # Two of them must never become one.
        (["b/2", "b", "b"], ["b/2", "b/2/2", "b/2/3"]),
        (["a", "a/2", "a"], ["a", "a/2", "a/3"]),
    ],
)
def test_the_ids_of_several_events(ids: list[str], expected: list[str]) -> None:
    events = [event(name, action=str(number)) for number, name in enumerate(ids)]
    found = numbered(events)
    assert [one.delivery for one in found] == expected
    assert [one.action for one in found] == [one.action for one in events]


@pytest.mark.parametrize("count", [0, MAX_EVENTS + 1])
def test_none_and_too_many_are_malformed(count: int) -> None:
    with pytest.raises(MalformedError, match=f"^the delivery tells of {count} events, and not of 1 to 100$"):
        numbered([event(str(number)) for number in range(count)])
    assert len(numbered([event()] * MAX_EVENTS)) == MAX_EVENTS
