"""Results: what is written is what is read, and nothing else is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duct_tape.flags import Flag
from duct_tape.results import MAX_OUTPUT, MAX_RESULT_BYTES, Result

SMALLEST = {"run": "r", "application": "a", "state": "deployed"}


def parsed(**members: Any) -> Result | None:
    return Result.parse(json.dumps({**SMALLEST, **members}).encode())


def test_what_the_listener_writes_is_read_as_it_was() -> None:
    flag = Flag(run="r1", application="site", tag="v1")
    result = Result.of(
        flag,
        "timed out",
        exit_code=143,
        started_at="2026-01-01T00:00:00.000Z",
        finished_at="2026-01-01T01:00:00.000Z",
        duration=3600.0,
        output="höre auf\nEnde",
    )
    assert Result.parse(result.to_line()) == result
    assert result.final
    assert not Result.of(flag, "deploying").final


def test_unknown_members_are_left_out_and_missing_ones_have_their_default() -> None:
    assert parsed(later="x") == Result(run="r", application="a", state="deployed")


@pytest.mark.parametrize("key", ["run", "application", "state"])
def test_without_its_identity_it_is_none(key: str) -> None:
    assert Result.parse(json.dumps({**SMALLEST, key: None}).encode()) is None
    assert Result.parse(json.dumps({name: value for name, value in SMALLEST.items() if name != key}).encode()) is None


@pytest.mark.parametrize(
    "members",
    [
        {"state": "won"},
        {"state": "accepted"},
        {"exit_code": "0"},
        {"exit_code": True},
        {"exit_code": 10**30},
        {"duration": -1.0},
        {"duration": float("nan")},
        {"duration": float("inf")},
        {"duration": 10**4000},
        {"run": "r\ud800"},
        {"application": "a\x00"},
        {"tag": "v1\udfff"},
        {"duration": 10**400},
        {"duration": -(10**400)},
        {"exit_code": 10**400},
        {"started_at": "yesterday"},
        {"finished_at": "2" * 50},
        {"output": ["x"]},
        {"tag": 1},
    ],
)
def test_a_member_out_of_all_proportion_makes_it_none(members: dict[str, Any]) -> None:
    assert parsed(**members) is None


def test_long_output_is_cut_to_its_end_and_half_characters_are_replaced() -> None:
    result = parsed(output="x" * MAX_OUTPUT + "the end\ud800")
    assert result is not None
    assert result.output.endswith("the end?")
    assert len(result.output) == MAX_OUTPUT


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.text() | st.floats(), st.lists).map(lambda value: json.dumps(value).encode())
)
def test_any_bytes_give_a_result_or_none(content: bytes) -> None:
    assert Result.parse(content) is None


KEYS = st.sampled_from([*SMALLEST, "exit_code", "duration", "output", "tag", "started_at"])
# Longer than any float: a file may hold more than four thousand digits of one number.
HUGE = st.builds(lambda sign, digits: sign * 10**digits, st.sampled_from((1, -1)), st.integers(300, 4000))
VALUES = st.none() | st.booleans() | st.integers() | HUGE | st.floats() | st.text() | st.just("deployed")


@given(st.dictionaries(KEYS, VALUES))
def test_any_members_give_a_result_or_none(members: dict[str, Any]) -> None:
    result = parsed(**members)
    assert result is None or Result.parse(result.to_line()) == result


@pytest.mark.parametrize(
    "content", [b"", b"[" * 100_000, b"x" * (MAX_RESULT_BYTES + 10), b"\xff", b"null", b"9" * 5000]
)
def test_hostile_content_is_none(content: bytes) -> None:
    assert Result.parse(content) is None


def test_what_ends_now_took_no_time_when_the_clock_was_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 10.0)
    flag = Flag(run="r1", application="site", tag="v1")
    result = Result.ended(flag, "failed", 7.5, exit_code=1)
    assert (result.started_at, result.finished_at) == ("1970-01-01T00:00:07.500Z", "1970-01-01T00:00:10.000Z")
    assert result.duration == 2.5
    assert Result.ended(flag, "failed", 11.0).duration == 0
    assert Result.parse(Result.ended(flag, "failed", 11.0).to_line())
