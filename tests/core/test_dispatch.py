"""Dispatch: one lane per application, attempts, refusals, and what is left for the next start."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.dispatch_support import DEPLOY, Start, submitted
from tests.server_support import FakeJournal, Recorder, run

from duct_tape.api import Outcome, PermanentError, Run, RunState, TransientError
from duct_tape.assembly import assemble
from duct_tape.dispatch import RETRY, Dispatcher, Retry
from duct_tape.observers import Observers


def test_the_runs_of_an_application_are_carried_out_in_order_and_one_at_a_time(dispatch: Start) -> None:
    inside, most = 0, 0

    async def perform(run: Run) -> None:
        nonlocal inside, most
        inside, most = inside + 1, max(most, inside + 1)
        await asyncio.sleep(0)
        inside -= 1

    recorder, journal = Recorder(perform), FakeJournal()
    dispatch(recorder, journal, submitted(*(run(number) for number in range(5))))
    assert [item.id for item in recorder.runs] == [f"run-{number}" for number in range(5)]
    assert most == 1
    assert journal.calls == [("finish", f"run-{number}", "done", "recorded") for number in range(5)]


def test_different_applications_do_not_wait_for_each_other(dispatch: Start) -> None:
    together = asyncio.Barrier(3)

    async def perform(run: Run) -> None:
        async with asyncio.timeout(10):
            await together.wait()

    recorder = Recorder(perform)
    dispatch(recorder, FakeJournal(), submitted(*(run(number, f"app-{number}") for number in range(3))))
    assert len(recorder.runs) == 3


def test_a_lane_that_ended_begins_anew(dispatch: Start) -> None:
    recorder = Recorder()

    async def check(dispatcher: Dispatcher) -> None:
        await submitted(run(1))(dispatcher)
        await submitted(run(2))(dispatcher)

    dispatch(recorder, FakeJournal(), check)
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
        (TransientError("busy"), "TransientError: busy"),
        (OSError(28, "No space left"), "OSError: [Errno 28] No space left"),
        (SystemExit(1), "SystemExit: 1"),
        (asyncio.CancelledError(), "CancelledError: "),
    ],
)
def test_an_attempt_that_fails_is_repeated(dispatch: Start, error: BaseException, detail: str) -> None:
    recorder, journal = Recorder(raising(error, error)), FakeJournal()
    dispatch(recorder, journal, submitted(run()))
    assert journal.calls == [("attempted", "run-1", detail)] * 2 + [("finish", "run-1", "done", "recorded")]
    assert [item.attempts for item in recorder.runs] == [0, 1, 2]


def test_a_run_fails_after_its_attempts_and_the_lane_goes_on(dispatch: Start, caplog: pytest.LogCaptureFixture) -> None:
    journal = FakeJournal()
    dispatch(Recorder(raising(*[ValueError("no")] * 3)), journal, submitted(run(1), run(2)))
    assert journal.calls[2:] == [
        ("finish", "run-1", "failed", "ValueError: no"),
        ("finish", "run-2", "done", "recorded"),
    ]
    assert caplog.messages[-1] == "failed: run run-1 for app: ValueError: no"


def test_attempts_before_a_restart_count(dispatch: Start) -> None:
    journal = FakeJournal()
    dispatch(Recorder(raising(ValueError("no"))), journal, submitted(run(attempts=2)))
    assert journal.calls == [("finish", "run-1", "failed", "ValueError: no")]


@pytest.mark.parametrize("error", [OSError("disk full"), TransientError("busy")])
def test_what_is_the_machines_fault_is_tried_for_longer_but_not_for_ever(dispatch: Start, error: Exception) -> None:
    recorder, journal = Recorder(raising(*[error] * 10)), FakeJournal()
    dispatch(recorder, journal, submitted(run(1)))
    assert (len(recorder.runs), journal.calls[-1][2]) == (11, "done")
    late, journal = run(2, created_at=time.time() - RETRY.age), FakeJournal()
    dispatch(Recorder(raising(error)), journal, submitted(late))
    assert [call[:3] for call in journal.calls] == [("finish", "run-2", "failed")]


def test_a_permanent_error_fails_at_once(dispatch: Start) -> None:
    journal = FakeJournal()
    dispatch(Recorder(raising(PermanentError("no such name"))), journal, submitted(run()))
    assert journal.calls == [("finish", "run-1", "failed", "no such name")]


@pytest.mark.parametrize("outcome", [3, Outcome(state=RunState.ACCEPTED)])
def test_an_action_without_an_outcome_fails(dispatch: Start, outcome: Any) -> None:
    journal = FakeJournal()
    dispatch(Recorder(lambda run: outcome), journal, submitted(run()))
    assert [call[0] for call in journal.calls] == ["attempted", "attempted", "finish"]
    assert journal.calls[-1][2:] == ("failed", "TypeError: the action `record` came to no outcome")


def test_superseded_runs_are_handed_on(dispatch: Start) -> None:
    journal = FakeJournal()
    outcome = Outcome(state=RunState.FLAGGED, detail="the flag app", supersedes=("run-0",))
    dispatch(Recorder(lambda run: outcome), journal, submitted(run()))
    assert journal.calls == [("finish", "run-1", "flagged", "the flag app", "run-0")]


def test_a_trigger_that_is_gone_fails_the_run(dispatch: Start) -> None:
    journal = FakeJournal()
    dispatch(Recorder(), journal, submitted(run(trigger="gone")))
    assert journal.calls == [("finish", "run-1", "failed", "there is no trigger `gone` any more")]


def test_a_run_whose_plugin_is_off_waits_for_the_next_start(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "duct_tape.toml"
    path.write_text(DEPLOY)
    assembly = assemble(path, {"recorder": object()})
    journal: Any = FakeJournal([run()])

    async def main() -> None:
        dispatcher = Dispatcher(assembly, journal, Observers(assembly.registry))
        assert await dispatcher.recover() == 1
        await dispatcher.settle()

    asyncio.run(main())
    assert journal.calls == []
    assert caplog.messages[-1] == "run run-1 waits for the next start: the plugin behind `deploy` is off"


def test_recovery_takes_up_what_was_not_finished(dispatch: Start) -> None:
    recorder = Recorder()

    async def check(dispatcher: Dispatcher) -> None:
        assert await dispatcher.recover() == 2
        await dispatcher.settle()

    dispatch(recorder, FakeJournal([run(1), run(2, "other")]), check)
    assert sorted(recorder.applications) == ["app", "other"]


def test_a_journal_that_fails_while_finishing_is_tried_again(dispatch: Start, caplog: pytest.LogCaptureFixture) -> None:
    recorder, journal = Recorder(), FakeJournal(failures=2)
    dispatch(recorder, journal, submitted(run()))
    assert len(recorder.runs) == 1
    assert journal.calls == [("finish", "run-1", "done", "recorded")]
    assert caplog.messages.count("the disk is full; trying again") == 2


def test_a_fault_of_ours_ends_neither_the_lane_nor_the_run(dispatch: Start, caplog: pytest.LogCaptureFixture) -> None:
    journal = FakeJournal()
    original = journal.finish

    async def finish(run: str, *arguments: Any) -> None:
        if run == "run-1":
            raise ZeroDivisionError
        await original(run, *arguments)

    vars(journal)["finish"] = finish
    dispatch(Recorder(), journal, submitted(run(1), run(2)))
    assert [call[1] for call in journal.calls] == ["run-2"]
    assert "run run-1 was left for the next start" in caplog.messages


def test_closing_lets_the_run_in_flight_end_and_leaves_the_rest(dispatch: Start) -> None:
    begun, release = asyncio.Event(), asyncio.Event()

    async def perform(run: Run) -> None:
        begun.set()
        await release.wait()

    async def check(dispatcher: Dispatcher) -> None:
        dispatcher.submit([run(1), run(2)])
        await begun.wait()
        closing = asyncio.create_task(dispatcher.close(10))
        await asyncio.sleep(0)
        release.set()
        await closing
        dispatcher.submit([run(3, "other")])

    recorder, journal = Recorder(perform), FakeJournal()
    dispatch(recorder, journal, check)
    assert len(recorder.runs) == 1
    assert journal.calls == [("finish", "run-1", "done", "recorded")]


def test_closing_waits_no_longer_than_it_may(dispatch: Start) -> None:
    async def check(dispatcher: Dispatcher) -> None:
        dispatcher.submit([run()])
        await asyncio.sleep(0)
        await dispatcher.close(0.01)
        await dispatcher.settle()

    journal = FakeJournal()
    dispatch(Recorder(lambda run: asyncio.Event().wait()), journal, check)
    assert journal.calls == []


def test_closing_interrupts_the_wait_before_the_next_attempt(dispatch: Start) -> None:
    async def check(dispatcher: Dispatcher) -> None:
        dispatcher.submit([run()])
        await journal.called.wait()
        async with asyncio.timeout(10):
            await dispatcher.close(60)

    journal = FakeJournal()
    dispatch(Recorder(raising(OSError("no"))), journal, check, Retry(base=1e9, cap=1e9))
    assert journal.calls == [("attempted", "run-1", "OSError: no")]


def test_closing_gives_up_on_a_journal_that_fails(dispatch: Start) -> None:
    async def check(dispatcher: Dispatcher) -> None:
        dispatcher.submit([run()])
        await asyncio.sleep(0)
        await dispatcher.close(10)

    journal = FakeJournal(failures=1000)
    dispatch(Recorder(), journal, check, Retry(base=1e9, cap=1e9))
    assert journal.calls == []


def test_above_its_bound_the_queue_is_full(dispatch: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("duct_tape.dispatch.MAX_WAITING", 2)

    async def check(dispatcher: Dispatcher) -> None:
        assert not dispatcher.full
        dispatcher.submit([run(1), run(2, "other")])
        assert dispatcher.full
        await dispatcher.settle()
        assert not dispatcher.full

    dispatch(Recorder(), FakeJournal(), check)


def test_the_wait_grows_is_random_and_has_a_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(0 <= RETRY.wait(attempts) <= 60 for attempts in (1, 5, 10**9))
    assert len({RETRY.wait(8) for _ in range(20)}) > 1
    monkeypatch.setattr("random.uniform", lambda low, high: high)
    assert [RETRY.wait(attempts) for attempts in range(1, 9)] == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
