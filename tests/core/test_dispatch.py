"""Dispatch: one lane per application, attempts, refusals, and what is left for the next start."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.dispatch_support import Case, Start
from tests.server_support import Recorder, run

from duct_tape.api import Outcome, PermanentError, Result, Run, RunState, TransientError
from duct_tape.retry import RETRY, Retry


def test_the_runs_of_an_application_are_carried_out_in_order_and_one_at_a_time(dispatch: Start) -> None:
    inside, most = 0, 0

    async def perform(run: Run) -> None:
        nonlocal inside, most
        inside, most = inside + 1, max(most, inside + 1)
        await asyncio.sleep(0.001)
        inside -= 1

    async def check(case: Case) -> None:
        await case.carry_out(*(run(number) for number in range(5)))
        assert set((await case.outcomes()).values()) == {("done", "recorded")}

    recorder = Recorder(perform)
    dispatch(recorder, check)
    assert [item.id for item in recorder.runs] == [f"run-{number}" for number in range(5)]
    assert most == 1


def test_different_applications_do_not_wait_for_each_other(dispatch: Start) -> None:
    together = asyncio.Barrier(3)

    async def perform(run: Run) -> None:
        async with asyncio.timeout(10):
            await together.wait()

    async def check(case: Case) -> None:
        await case.carry_out(*(run(number, f"app-{number}") for number in range(3)))

    recorder = Recorder(perform)
    dispatch(recorder, check)
    assert len(recorder.runs) == 3


def test_a_lane_that_ended_begins_anew(dispatch: Start) -> None:
    async def check(case: Case) -> None:
        await case.carry_out(run(1))
        await case.carry_out(run(2))

    recorder = Recorder()
    dispatch(recorder, check)
    assert len(recorder.runs) == 2


def raising(*errors: BaseException | None) -> Callable[[Run], None]:
    """An action that raises one after the other, and then works."""
    waiting = list(errors)

    def perform(run: Run) -> None:
        if waiting and (error := waiting.pop(0)):
            raise error

    return perform


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (TransientError("busy"), "busy"),
        (OSError(28, "No space left"), "OSError: [Errno 28] No space left"),
        (SystemExit(1), "SystemExit: 1"),
        (KeyboardInterrupt(), "KeyboardInterrupt: "),
        (GeneratorExit(), "GeneratorExit: "),
        (asyncio.CancelledError(), "CancelledError: "),
    ],
)
def test_an_attempt_that_fails_is_repeated(
    dispatch: Start, error: BaseException, detail: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def check(case: Case) -> None:
        await case.carry_out(run())
        assert await case.only() == ("done", "recorded", 3)

    recorder = Recorder(raising(error, error))
    dispatch(recorder, check)
    assert [item.attempts for item in recorder.runs] == [0, 1, 2]
    assert caplog.messages == [f"run run-1, attempt {number}: {detail}" for number in (1, 2)]


def test_a_run_fails_after_its_attempts_and_the_lane_goes_on(dispatch: Start, caplog: pytest.LogCaptureFixture) -> None:
    async def check(case: Case) -> None:
        await case.carry_out(run(1), run(2))
        assert await case.outcomes() == {"run-1": ("failed", "ValueError: no"), "run-2": ("done", "recorded")}

    dispatch(Recorder(raising(*[ValueError("no")] * 3)), check)
    assert "failed: run run-1 for app: ValueError: no" in caplog.messages


def test_attempts_before_a_restart_count(dispatch: Start) -> None:
    recorder = Recorder(raising(*[ValueError("no")] * 3))

    async def before(case: Case) -> None:
        await case.accept(run())
        await case.until("run-1", attempts=1)
        await case.dispatcher.close(10)

    async def after(case: Case) -> None:
        assert await case.dispatcher.recover() == 1
        await case.settled()
        assert (await case.only())[0] == "failed"

    dispatch(recorder, before, Retry(attempts=3, base=1e9, cap=1e9))
    assert len(recorder.runs) == 1
    dispatch(recorder, after)
    assert [item.attempts for item in recorder.runs] == [0, 1, 2]


@pytest.mark.parametrize("error", [OSError("disk full"), TransientError("busy")])
def test_what_is_the_machines_fault_is_tried_for_longer_but_not_for_ever(dispatch: Start, error: Exception) -> None:
    async def check(case: Case) -> None:
        await case.carry_out(run(1))
        assert await case.only() == ("done", "recorded", 11)

    async def late(case: Case) -> None:
        await case.carry_out(run(2, created_at=time.time() - RETRY.age))
        found = await case.journal.find("run-2")
        assert found
        assert (found.state, found.attempts) == ("failed", 4), "as many as there can be within its age"

    dispatch(Recorder(raising(*[error] * 10)), check)
    dispatch(Recorder(raising(*[error] * 10)), late, Retry(attempts=3, age=RETRY.age, base=0.0, cap=RETRY.age / 4))


def test_a_clock_that_jumps_a_day_ahead_gives_up_nothing(dispatch: Start) -> None:
    async def check(case: Case) -> None:
        await case.carry_out(run(created_at=time.time() - 2 * RETRY.age))
        assert await case.only() == ("done", "recorded", 11)

    dispatch(Recorder(raising(*[OSError("read-only")] * 10)), check, Retry(base=0.0))


def test_a_permanent_error_fails_at_once(dispatch: Start) -> None:
    async def check(case: Case) -> None:
        await case.carry_out(run())
        assert await case.only() == ("failed", "no such name", 1)

    dispatch(Recorder(raising(PermanentError("no such name"))), check)


@pytest.mark.parametrize("outcome", [3, Outcome(state=RunState.ACCEPTED)])
def test_an_action_without_an_outcome_fails(dispatch: Start, outcome: Any) -> None:
    async def check(case: Case) -> None:
        await case.carry_out(run())
        assert await case.only() == ("failed", "TypeError: the action `record` came to no outcome", 3)

    dispatch(Recorder(lambda run: outcome), check)


def test_superseded_runs_are_handed_on(dispatch: Start) -> None:
    def perform(run: Run) -> Outcome:
        supersedes = ("run-1",) if run.id == "run-2" else ()
        return Outcome(state=RunState.FLAGGED, detail="the flag app", supersedes=supersedes)

    async def check(case: Case) -> None:
        await case.carry_out(run(1))
        await case.carry_out(run(2))
        assert await case.outcomes() == {
            "run-1": ("superseded", "run run-2 replaced its flag"), "run-2": ("flagged", "the flag app"),
        }  # fmt: skip

    dispatch(Recorder(perform), check)


def test_a_trigger_that_is_gone_fails_the_run(dispatch: Start) -> None:
    async def check(case: Case) -> None:
        await case.carry_out(run(trigger="gone"))
        assert await case.only() == ("failed", "there is no trigger `gone` any more", 1)

    dispatch(Recorder(), check)


def test_a_run_whose_plugin_is_off_waits_for_the_next_start(dispatch: Start, caplog: pytest.LogCaptureFixture) -> None:
    recorder = Recorder()

    async def off(case: Case) -> None:
        await case.carry_out(run(), run(2, trigger="gone"))
        state, detail = (await case.outcomes())["run-1"]
        assert (state, detail) == ("accepted", "the plugin behind `deploy` is off: it waits for the next start")
        assert (await case.outcomes())["run-2"][0] == "failed", "its lane goes on without it"

    async def on(case: Case) -> None:
        assert await case.dispatcher.recover() == 1
        await case.settled()
        assert (await case.outcomes())["run-1"][0] == "done"

    dispatch(object(), off)
    assert "run run-1 waits for the next start: the plugin behind `deploy` is off" in caplog.messages
    dispatch(recorder, on)


def test_recovery_takes_up_what_was_not_finished(dispatch: Start) -> None:
    recorder = Recorder()

    async def before(case: Case) -> None:
        await case.accept(run(1), run(2, "other"))  # The process ends before a lane has begun.

    async def after(case: Case) -> None:
        assert await case.dispatcher.recover() == 2
        await case.settled()

    dispatch(Recorder(lambda run: asyncio.Event().wait()), before)
    dispatch(recorder, after)
    assert sorted(recorder.applications) == ["app", "other"]


def test_a_journal_that_fails_while_finishing_is_tried_again(dispatch: Start, caplog: pytest.LogCaptureFixture) -> None:
    recorder = Recorder()

    async def check(case: Case) -> None:
        case.journal.failures = 2
        await case.carry_out(run())
        assert await case.only() == ("done", "recorded", 1)

    dispatch(recorder, check)
    assert len(recorder.runs) == 1
    assert caplog.messages.count("the disk is full; trying again") == 2


def test_a_fault_of_ours_ends_neither_the_lane_nor_the_run(dispatch: Start, caplog: pytest.LogCaptureFixture) -> None:
    async def check(case: Case) -> None:
        original = case.journal.finish

        async def finish(run: str, *arguments: Any) -> list[Run]:
            if run == "run-1":
                raise ZeroDivisionError
            return await original(run, *arguments)

        vars(case.journal)["finish"] = finish
        await case.carry_out(run(1), run(2))
        assert await case.outcomes() == {
            "run-1": ("accepted", "Duct Tape itself failed, and its log tells more"), "run-2": ("done", "recorded"),
        }  # fmt: skip

    dispatch(Recorder(), check)
    assert "run run-1 was left for the next start" in caplog.messages


def test_the_wait_grows_is_random_and_has_a_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(0 <= RETRY.wait(attempts) <= 60 for attempts in (1, 5, 10**9))
    assert len({RETRY.wait(8) for _ in range(20)}) > 1
    monkeypatch.setattr("random.uniform", lambda low, high: high)
    assert [RETRY.wait(attempts) for attempts in range(1, 9)] == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]


def test_what_the_action_has_to_show_reaches_the_journal(dispatch: Start) -> None:
    def perform(run: Run) -> Outcome:
        result = Result.ended(run.flag(), "failed", time.time(), exit_code=3, output="no")
        return Outcome(state=RunState.FAILED, detail="exit code 3", result=result)

    async def check(case: Case) -> None:
        await case.carry_out(run())
        found = await case.journal.find("run-1")
        assert found
        assert found.result
        assert (found.result.exit_code, found.result.output) == (3, "no")

    dispatch(Recorder(perform), check)


def test_an_action_says_when_another_attempt_makes_sense(dispatch: Start) -> None:
    waits: list[float] = []

    def perform(run: Run) -> None:
        if not run.attempts:
            raise TransientError("busy", after=0.25)

    async def check(case: Case) -> None:
        original = case.journal.fail

        async def fail(run: str, detail: str, wait: float) -> Run:
            waits.append(wait)
            return await original(run, detail, wait)

        vars(case.journal)["fail"] = fail
        await case.carry_out(run())
        assert await case.only() == ("done", "recorded", 2)

    dispatch(Recorder(perform), check)
    assert waits == [0.25]


def test_nobody_makes_a_lane_wait_for_longer_than_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    assert RETRY.wait(1, 5.0) == 5.0
    assert RETRY.wait(1, 1e9) == RETRY.cap
    monkeypatch.setattr("random.uniform", lambda low, high: high)
    assert RETRY.wait(5, 3.0) == 16.0
