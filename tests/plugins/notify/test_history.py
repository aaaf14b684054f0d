"""What is news: pure, and with the journal as the only memory."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duct_tape.api import Event, Release, Result, Run, RunState
from duct_tape_notify.history import News, judge

HOUR = 3600.0


def run(number: int, state: str, at: float, **members: Any) -> Run:
    """Run number so-and-so, which came to its state at ``at``."""
    release = Release(id="1", tag=members.pop("tag", "v1"))
    given: dict[str, Any] = {"application": "shop", "trigger": "deploy", **members}
    return Run(
        id=f"{number:04}", instance="github", event=Event(name="release", delivery="d", release=release),
        state=RunState(state), updated_at=at, **given,
    )  # fmt: skip


def failed(number: int, at: float, output: str = "disk full", exit_code: int = 1, **members: Any) -> Run:
    result = Result(run="r", application="shop", state="failed", exit_code=exit_code, output=output)
    return run(number, "failed", at, result=result, **members)


def ask(last: Run, *earlier: Run, **more: Any) -> News | None:
    return judge(last, earlier, last.updated_at, 6 * HOUR, **more)


def test_a_first_failure_is_news() -> None:
    assert ask(failed(1, 10.0)) == News(state="failed", times=1, since=10.0)


def test_the_same_failure_is_not_told_again_soon() -> None:
    assert ask(failed(2, HOUR), failed(1, 0.0)) is None
    assert ask(failed(3, 5 * HOUR), failed(1, 0.0), failed(2, HOUR)) is None


def test_told_again_it_says_how_often() -> None:
    earlier = [failed(1, 0.0), failed(2, HOUR), failed(3, 2 * HOUR)]
    assert ask(failed(4, 7 * HOUR), *earlier) == News(state="failed", times=3, since=0.0)
    # And counts from there.
    assert ask(failed(5, 8 * HOUR), *earlier, failed(4, 7 * HOUR)) is None
    later = ask(failed(6, 14 * HOUR), *earlier, failed(4, 7 * HOUR), failed(5, 8 * HOUR))
    assert later == News(state="failed", times=2, since=7 * HOUR)


@pytest.mark.parametrize(
    "other",
    [
        failed(2, HOUR, tag="v2"),
        failed(2, HOUR, exit_code=2),
        failed(2, HOUR, output="cannot connect"),
        failed(2, HOUR, application="blog"),
        failed(2, HOUR, trigger="announce"),
        run(2, "timed out", HOUR),
    ],
)
def test_another_failure_is_news(other: Run) -> None:
    assert ask(other, failed(1, 0.0)) is not None


def test_numbers_do_not_make_another_failure() -> None:
    assert ask(failed(2, HOUR, output="12:04 pid 77a gone"), failed(1, 0.0, output="11:59 pid 6f gone")) is None
    before = run(1, "refused", 0.0, detail="freeze until 14:00")
    assert ask(run(2, "refused", HOUR, detail="freeze until 15:00"), before) is None


def test_the_first_good_run_is_a_recovery_and_the_second_is_not() -> None:
    earlier = [failed(1, 0.0), failed(2, HOUR), run(3, "superseded", HOUR)]
    good = run(4, "deployed", 2 * HOUR)
    assert ask(good, *earlier) == News(state="recovered", times=2, since=0.0)
    assert ask(run(5, "deployed", 3 * HOUR), *earlier, good) == News(state="deployed", times=1, since=3 * HOUR)


def test_a_failure_that_was_discarded_is_recovered_from_too() -> None:
    assert ask(run(2, "deployed", HOUR), run(1, "discarded", 0.0)) == News(state="recovered", times=1, since=0.0)


def test_after_a_recovery_the_same_failure_is_news() -> None:
    assert ask(failed(3, 2 * HOUR), failed(1, 0.0), run(2, "done", HOUR)) is not None


def test_another_trigger_recovers_nothing() -> None:
    news = ask(run(2, "done", HOUR, trigger="announce"), failed(1, 0.0))
    assert news == News(state="done", times=1, since=HOUR)


def test_states_that_nobody_is_told_of_are_no_failures() -> None:
    refused = run(1, "refused", 0.0)
    news = ask(run(2, "deployed", HOUR), refused, bad={RunState.FAILED})
    assert news == News(state="deployed", times=1, since=HOUR)


def test_what_never_arrived_is_told_with_the_next_one() -> None:
    assert ask(failed(2, HOUR), failed(1, 0.0), missed={"0001"}) == News(state="failed", times=2, since=0.0)


def test_zero_tells_every_failure() -> None:
    assert judge(failed(2, 1.0), [failed(1, 0.0)], 1.0, 0.0) == News(state="failed", times=1, since=0.0)


def test_the_run_itself_is_not_before_itself() -> None:
    assert ask(failed(1, 10.0), failed(1, 10.0)) == News(state="failed", times=1, since=10.0)


@given(st.lists(st.tuples(st.sampled_from(["failed", "deployed", "lost"]), st.integers(0, 3)), min_size=1, max_size=30))
def test_no_failure_is_lost_and_each_recovery_comes_once(story: list[tuple[str, int]]) -> None:
    """Whatever happens: what is told adds up to what happened, but for what is still waiting to be told."""
    runs: list[Run] = []
    now, untold, failing = 0.0, {"failed": 0, "lost": 0}, 0
    for number, (state, hours) in enumerate(story):
        now += hours * HOUR + 1
        current = run(number, state, now)
        news = judge(current, runs, now, 6 * HOUR)
        if state == "deployed":
            assert news is not None
            assert news.state == ("recovered" if failing else "deployed")
            assert not failing or news.times == failing
            failing, untold = 0, {"failed": 0, "lost": 0}
        else:
            failing, untold[state] = failing + 1, untold[state] + 1
            if news:
                assert news.times == untold[state]
                untold[state] = 0
        runs.append(current)
