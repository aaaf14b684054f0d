from __future__ import annotations

import time

import pytest

from duct_tape.listener import refusals
from duct_tape.listener.refusals import Refusals


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_a_few_are_told_one_by_one_and_many_by_their_number(
    clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    told = Refusals()
    for number in range(1000):
        told.tell("set aside %s", number)
    assert told.count == 1000
    assert caplog.messages == [f"set aside {number}" for number in range(refusals.MOST_LINES)]

    clock[0] += refusals.SECONDS
    told.breathe()
    told.breathe()
    assert caplog.messages[refusals.MOST_LINES :] == [
        "the volume holds much that is no flag: 900 more were set aside, or had to stay"
    ]


def test_a_flood_that_goes_on_is_a_line_per_minute(clock: list[float], caplog: pytest.LogCaptureFixture) -> None:
    told = Refusals()
    for _ in range(10):
        for number in range(500):
            told.tell("set aside %s", number)
        clock[0] += refusals.SECONDS
    assert len(caplog.messages) == refusals.MOST_LINES + 9


def test_after_a_quiet_minute_each_is_told_again(clock: list[float], caplog: pytest.LogCaptureFixture) -> None:
    told = Refusals()
    for number in range(refusals.MOST_LINES):
        told.tell("set aside %s", number)
    clock[0] += refusals.SECONDS
    told.tell("set aside %s", "more")
    assert caplog.messages[-1] == "set aside more"


def test_at_the_end_nothing_is_held_back(clock: list[float], caplog: pytest.LogCaptureFixture) -> None:
    told = Refusals()
    told.conclude()
    for number in range(refusals.MOST_LINES + 3):
        told.tell("set aside %s", number)
    told.conclude()
    told.conclude()
    assert [message for message in caplog.messages if "3 more" in message] == caplog.messages[-1:]
