"""Dispatch: how it ends, and what it leaves for the next start."""

from __future__ import annotations

import asyncio

from tests.dispatch_support import Case, Start
from tests.server_support import Recorder, run

from duct_tape.api import Run
from duct_tape.retry import Retry

NEVER = Retry(base=1e9, cap=1e9)


def test_closing_lets_the_run_in_flight_end_and_leaves_the_rest(dispatch: Start) -> None:
    begun, release = asyncio.Event(), asyncio.Event()

    async def perform(run: Run) -> None:
        begun.set()
        await release.wait()

    async def check(case: Case) -> None:
        await case.accept(run(1), run(2))
        await begun.wait()
        closing = asyncio.create_task(case.dispatcher.close(10))
        await asyncio.sleep(0)
        release.set()
        await closing
        await case.carry_out(run(3, "other"))
        assert {name: state for name, (state, _) in (await case.outcomes()).items()} == {
            "run-1": "done", "run-2": "accepted", "run-3": "accepted",
        }  # fmt: skip

    recorder = Recorder(perform)
    dispatch(recorder, check)
    assert len(recorder.runs) == 1


def test_closing_waits_no_longer_than_it_may(dispatch: Start) -> None:
    async def check(case: Case) -> None:
        await case.accept(run())
        await asyncio.sleep(0)
        await case.dispatcher.close(0.01)
        await case.settled()
        assert (await case.only())[0] == "accepted"

    dispatch(Recorder(lambda run: asyncio.Event().wait()), check)


def test_closing_interrupts_the_wait_before_the_next_attempt(dispatch: Start) -> None:
    def perform(run: Run) -> None:
        raise OSError("no")

    async def check(case: Case) -> None:
        await case.accept(run())
        await case.until("run-1", attempts=1)
        async with asyncio.timeout(10):
            await case.dispatcher.close(60)
        assert await case.only() == ("accepted", "OSError: no", 1)

    dispatch(Recorder(perform), check, NEVER)


def test_closing_gives_up_on_a_journal_that_fails(dispatch: Start) -> None:
    recorder = Recorder()

    async def check(case: Case) -> None:
        case.journal.failures = 1000
        await case.accept(run())
        await case.journal.changed.wait()
        async with asyncio.timeout(10):
            await case.dispatcher.close(60)
        assert (await case.only())[0] == "accepted"

    dispatch(recorder, check, NEVER)
