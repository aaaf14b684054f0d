"""Dispatch: two releases of one application wait, and only the newest is carried out; and who else changes runs."""

from __future__ import annotations

import asyncio

import pytest
from tests.dispatch_support import Case, Start, tagged
from tests.server_support import Recorder, run

from duct_tape.api import Run, Runs
from duct_tape.errors import JournalError
from duct_tape.journal import Lease, Pause
from duct_tape.journal.sqlite import SQLiteJournal
from duct_tape.retry import Retry


def test_of_the_releases_that_wait_only_the_newest_is_carried_out(
    dispatch: Start, caplog: pytest.LogCaptureFixture
) -> None:
    begun, release = asyncio.Event(), asyncio.Event()

    async def perform(run: Run) -> None:
        begun.set()
        await release.wait()

    async def check(case: Case) -> None:
        caplog.set_level("INFO")
        for number in range(1, 5):
            await case.accept(tagged(number), version=f"2026-01-0{number}", title=f"v{number}")
            await begun.wait()
        await case.accept(tagged(9, application="other"), version="2026-01-01", title="v9")
        release.set()
        await case.settled()
        outcomes = await case.outcomes()
        assert [outcomes[f"run-{number}"] for number in (2, 3)] == [
            ("superseded", f"v{number + 1} was accepted before its turn came (run run-{number + 1})")
            for number in (2, 3)
        ]
        assert [outcomes[name][0] for name in ("run-1", "run-4", "run-9")] == ["done"] * 3

    recorder = Recorder(perform)
    dispatch(recorder, check)
    assert sorted(item.id for item in recorder.runs) == ["run-1", "run-4", "run-9"]
    assert "superseded: run run-2 for app: v3 was accepted before its turn came (run run-3)" in caplog.messages


@pytest.mark.parametrize("moment", ["while it is tried", "while it waits for the next attempt"])
def test_a_newer_release_takes_the_place_of_one_that_is_tried_again(dispatch: Start, moment: str) -> None:
    begun, release = asyncio.Event(), asyncio.Event()

    async def perform(run: Run) -> None:
        if run.id == "run-1":
            begun.set()
            await release.wait()
            raise OSError(30, "Read-only file system")

    async def check(case: Case) -> None:
        await case.accept(tagged(1), version="1", title="v1")
        await begun.wait()
        if moment == "while it waits for the next attempt":
            release.set()
            await case.until("run-1", attempts=1)
        await case.accept(tagged(2), version="2", title="v2")
        release.set()
        await case.until("run-2", "done")
        assert (await case.outcomes())["run-1"][0] == "superseded"
        await case.dispatcher.close(10)

    recorder = Recorder(perform)
    dispatch(recorder, check, Retry(base=1e9, cap=1e9))
    assert [item.id for item in recorder.runs] == ["run-1", "run-2"]


def test_what_another_process_accepted_is_taken_up_and_told(
    dispatch: Start, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    async def check(case: Case) -> None:
        monkeypatch.setattr(case.dispatcher._observers, "tell", lambda run: told.append(f"{run.id} {run.state}"))
        other = SQLiteJournal(case.journal._path, exclusive=False)
        item = run(1)
        await other.accept(item.event, Runs(runs=()), [item])
        await other.close()
        original, asked = case.journal.claim, asyncio.Event()

        async def claim(lease: Lease, application: str | None = None) -> list[Run]:
            if not asked.is_set():
                asked.set()
                raise JournalError("the disk is full")
            return await original(lease, application)

        vars(case.journal)["claim"] = claim
        attending = asyncio.create_task(case.dispatcher.attend(0.0))
        await case.until("run-1", "done")
        attending.cancel()
        await case.settled()

    recorder = Recorder()
    dispatch(recorder, check)
    assert "the disk is full" in caplog.messages
    assert [item.id for item in recorder.runs] == ["run-1"]
    assert told == ["run-1 accepted", "run-1 done"]


def test_what_is_paused_waits_and_only_the_newest_runs_when_it_is_resumed(dispatch: Start) -> None:
    async def check(case: Case) -> None:
        await case.journal.pause(Pause(application="app", who="me", reason="lunch", since=1.0))
        for number in (1, 2):
            await case.carry_out(tagged(number), version=str(number), title=f"v{number}")
        await case.carry_out(run(3, "other"))
        assert {name: state for name, (state, _) in (await case.outcomes()).items()} == {
            "run-1": "superseded", "run-2": "accepted", "run-3": "done",
        }  # fmt: skip
        await case.journal.resume("app")
        attending = asyncio.create_task(case.dispatcher.attend(0.0))
        await case.until("run-2", "done")
        attending.cancel()
        await case.settled()

    recorder = Recorder()
    dispatch(recorder, check)
    assert [item.id for item in recorder.runs] == ["run-3", "run-2"]


def test_who_is_at_work_for_long_prolongs_the_lease(dispatch: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("duct_tape.dispatch.LEASE_SECONDS", 0.0)
    release = asyncio.Event()

    async def check(case: Case) -> None:
        beats: list[Lease] = []

        async def heartbeat(lease: Lease) -> None:
            beats.append(lease)
            release.set()

        vars(case.journal)["heartbeat"] = heartbeat
        await case.accept(run())
        attending = asyncio.create_task(case.dispatcher.attend(0.0))
        await case.settled()
        attending.cancel()
        assert set(beats) == {case.dispatcher.lease}

    async def perform(run: Run) -> None:
        await release.wait()

    dispatch(Recorder(perform), check)


def test_what_the_journal_gave_without_telling_is_taken_up_once_more(
    dispatch: Start, caplog: pytest.LogCaptureFixture
) -> None:
    async def check(case: Case) -> None:
        item = run()
        # The commit worked, and was told to have failed.
        await case.journal.accept(item.event, Runs(runs=()), [item], lease=case.dispatcher.lease)
        attending = asyncio.create_task(case.dispatcher.attend(0.0))
        await case.until("run-1", "done")
        attending.cancel()
        await case.settled()

    recorder = Recorder()
    dispatch(recorder, check)
    assert "taking up once more: run-1" in caplog.messages
    assert len(recorder.runs) == 1


def test_whatever_a_look_comes_to_another_one_follows(dispatch: Start, caplog: pytest.LogCaptureFixture) -> None:
    async def check(case: Case) -> None:
        failures, original = [KeyError("name")], case.journal.untold

        async def untold() -> list[Run]:
            if failures:
                raise failures.pop()
            return await original()

        vars(case.journal)["untold"] = untold
        item = run()
        await case.journal.accept(item.event, Runs(runs=()), [item])
        attending = asyncio.create_task(case.dispatcher.attend(0.0))
        await case.until("run-1", "done")
        attending.cancel()
        await case.settled()

    dispatch(Recorder(), check)
    assert "what waits was not looked at; the next look follows" in caplog.messages
