"""A token bucket for each address, and not for all that ever came."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duct_tape.web.buckets import Buckets


class Clock:
    """A time that passes when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_minutes_tokens_and_then_one_after_the_other(clock: Clock) -> None:
    buckets = Buckets(3, clock=clock)
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 20]
    assert buckets.take("b") == 0
    clock.now = 19.0
    assert buckets.take("a") == pytest.approx(1.0)
    clock.now = 21.0
    assert buckets.take("a") == 0
    clock.now = 10_000.0
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 20]


def test_what_was_not_needed_comes_back_and_no_more_than_that(clock: Clock) -> None:
    buckets = Buckets(2, clock=clock)
    for _ in range(9):
        assert buckets.take("a") == 0
        buckets.give_back("a")
    buckets.give_back("a")
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 30]


def test_who_was_not_heard_of_for_longest_is_forgotten(clock: Clock) -> None:
    buckets = Buckets(1, limit=2, clock=clock)
    assert [buckets.take(name) for name in "aba"] == [0, 0, 60]
    assert buckets.take("c") == 0  # b is forgotten
    assert [buckets.take(name) for name in "ab"] == [60, 0]


@given(st.integers(1, 50), st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 30))))
def test_nobody_gets_more_than_a_minutes_tokens_and_what_flows_in(size: int, steps: list[tuple[str, float]]) -> None:
    clock = Clock()
    buckets = Buckets(size, clock=clock)
    taken = dict.fromkeys("abc", 0)
    for name, seconds in steps:
        clock.now += seconds
        taken[name] += buckets.take(name) == 0
        assert taken[name] <= size + clock.now * size / 60 + 1e-6
    assert len(buckets) <= 3
