"""Dispatch: two releases of one application wait, and only the newest is carried out."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from attrs import evolve
from tests.dispatch_support import Start, submitted
from tests.server_support import FakeJournal, Recorder, run

from duct_tape.api import Release, Run
from duct_tape.dispatch import Dispatcher
from duct_tape.errors import JournalError


def tagged(number: int, **members: Any) -> Run:
    given = run(number, **members)
    return evolve(given, event=evolve(given.event, release=Release(id=str(number), tag=f"v{number}")))


def test_of_the_releases_that_wait_only_the_newest_is_carried_out(dispatch: Start) -> None:
    recorder, journal = Recorder(), FakeJournal()
    dispatch(recorder, journal, submitted(tagged(1), tagged(2), tagged(3), tagged(4, application="other")))
    assert [item.id for item in recorder.runs] == ["run-3", "run-4"]
    assert journal.calls[:2] == [
        (
            "finish",
            f"run-{number}",
            "superseded",
            f"v{number + 1} was accepted before its turn came (run run-{number + 1})",
        )
        for number in (1, 2)
    ]


def test_a_newer_release_takes_the_place_of_one_that_is_tried_again(dispatch: Start) -> None:
    journal, dispatchers = FakeJournal(), list[Dispatcher]()

    def perform(run: Run) -> None:
        if run.id == "run-1":
            dispatchers[0].submit([tagged(2)])
            raise OSError(30, "Read-only file system")

    async def check(dispatcher: Dispatcher) -> None:
        dispatchers.append(dispatcher)
        await submitted(tagged(1))(dispatcher)

    dispatch(Recorder(perform), journal, check)
    assert [call[:3] for call in journal.calls] == [
        ("attempted", "run-1", "OSError: [Errno 30] Read-only file system"),
        ("finish", "run-1", "superseded"),
        ("finish", "run-2", "done"),
    ]


def test_what_another_process_accepted_is_taken_up_once(dispatch: Start, caplog: pytest.LogCaptureFixture) -> None:
    carried_out = asyncio.Event()

    async def check(dispatcher: Dispatcher) -> None:
        attending = asyncio.create_task(dispatcher.attend(0.0))
        async with asyncio.timeout(10):
            await carried_out.wait()
        # Asked again and again, it goes on after a failure and takes nothing up twice.
        asked.clear()
        async with asyncio.timeout(10):
            await asked.wait()
        await submitted()(dispatcher)
        attending.cancel()

    class Asked(FakeJournal):
        async def unfinished(self) -> list[Run]:
            if carried_out.is_set() and not asked.is_set():
                asked.set()
                raise JournalError("the disk is full")
            return await super().unfinished()

    asked = asyncio.Event()
    recorder = Recorder(lambda run: carried_out.set())
    dispatch(recorder, Asked([run(1)]), check)
    assert "the disk is full" in caplog.messages
    assert [item.id for item in recorder.runs] == ["run-1"]
