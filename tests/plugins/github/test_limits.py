"""GitHub's limits: nobody asks before the time that GitHub names."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest
from attrs import define
from hypothesis import given
from hypothesis import strategies as st

from duct_tape_github.errors import Limited
from duct_tape_github.limits import MAX_SECONDS, Limits

DAY = 24 * 3600.0


@define
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limits(clock: Clock) -> Limits:
    return Limits(clock)


def waits(limits: Limits, status: int, headers: dict[str, str], body: bytes = b"") -> float:
    with pytest.raises(Limited) as caught:
        limits.heard(status, headers, body)
    return caught.value.seconds


def soon(seconds: float) -> str:
    return str(int(time.time() + seconds))


def test_nothing_is_said_and_nothing_is_waited_for(limits: Limits) -> None:
    limits.check()
    for status in (200, 304, 404, 403, 500):
        limits.heard(status, {"x-ratelimit-remaining": "10"}, b"")
    limits.check()


@pytest.mark.parametrize("status", [403, 429])
def test_retry_after_is_obeyed(limits: Limits, clock: Clock, status: int) -> None:
    assert waits(limits, status, {"retry-after": "17"}) == 17
    with pytest.raises(Limited, match="GitHub asks to wait for 17 seconds"):
        limits.check()
    clock.now = 16.9
    with pytest.raises(Limited):
        limits.check()
    clock.now = 17
    limits.check()


@pytest.mark.parametrize("status", [403, 429])
def test_a_spent_hour_is_waited_for(limits: Limits, status: int) -> None:
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": soon(600)}
    assert waits(limits, status, headers) == pytest.approx(600, abs=5)


def test_the_last_answer_of_an_hour_counts_and_keeps_from_the_next_request(limits: Limits) -> None:
    limits.heard(200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": soon(600)}, b"")
    with pytest.raises(Limited):
        limits.check()


def test_without_a_time_it_is_a_minute_and_then_twice_as_long_each_time(limits: Limits) -> None:
    said = b'{"message": "You have exceeded a secondary rate limit."}'
    assert [waits(limits, 403, {}, said), waits(limits, 429, {}), waits(limits, 429, {})] == [60, 120, 240]
    limits.heard(200, {}, b"")
    assert waits(limits, 429, {}) == 60


@pytest.mark.parametrize("wrong", [-DAY, -3000.0, 3000.0, DAY])
def test_a_clock_that_is_wrong_does_not_matter(limits: Limits, monkeypatch: pytest.MonkeyPatch, wrong: float) -> None:
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": soon(600), "date": formatdate(usegmt=True)}
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + wrong)
    assert waits(limits, 403, headers) == pytest.approx(600, abs=5)


@pytest.mark.parametrize("status", [403, 429])
def test_who_is_refused_again_and_again_asks_ever_less_often(limits: Limits, status: int) -> None:
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": soon(-600)}
    assert [waits(limits, status, headers) for _ in range(8)] == [60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_who_did_as_told_and_is_refused_again_waits_longer(limits: Limits) -> None:
    assert [waits(limits, 429, {"retry-after": "1"}) for _ in range(3)] == [1, 120, 240]
    assert waits(limits, 429, {"retry-after": "3000"}) == 3000


def test_an_hour_that_is_over_at_once_is_not_waited_for_as_long_as_nothing_is_refused(
    limits: Limits, clock: Clock
) -> None:
    limits.heard(200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": soon(0)}, b"")
    clock.now = 1
    limits.check()


def test_a_403_without_a_word_of_limits_is_none(limits: Limits) -> None:
    limits.heard(403, {}, b'{"message": "Resource not accessible"}')
    limits.check()


HOSTILE = [
    "",
    "-5",
    "1e99",
    "soon",
    "٣",
    "9" * 400,
    "99999999999",
    "Wed, 21 Oct 2026 07:28:00 GMT",
    "1 Jan 1 00:00:00 -0000",
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", ["retry-after", "x-ratelimit-reset", "date"])
def test_an_odd_time_is_never_long_nor_none(limits: Limits, name: str, text: str) -> None:
    assert 1 <= waits(limits, 429, {"x-ratelimit-remaining": "0", name: text}) <= MAX_SECONDS


NAMES = ["date", "retry-after", "x-ratelimit-remaining", "x-ratelimit-reset"]


@given(
    st.integers(100, 599),
    st.dictionaries(st.sampled_from(NAMES), st.text(max_size=20) | st.integers().map(str)),
    st.binary(max_size=40),
)
def test_any_answer_is_an_answer(status: int, headers: dict[str, str], body: bytes) -> None:
    assert status in (403, 429) or heard(status, headers, body) == 0
    assert 0 <= heard(status, headers, body) <= MAX_SECONDS


def heard(status: int, headers: dict[str, str], body: bytes) -> float:
    """How long the answer makes its own sender wait."""
    try:
        Limits(Clock()).heard(status, headers, body)
    except Limited as limited:
        return limited.seconds
    return 0
