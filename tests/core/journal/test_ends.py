"""Ends that come from outside of the server: an operator's, and a listener's that was given up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.server_support import run

from duct_tape.api import RunState
from duct_tape.delivery import Runs
from duct_tape.flags import Flag
from duct_tape.journal.sqlite import SQLiteJournal
from duct_tape.results import Result

RESULT = Result.of(Flag(run="run-1", application="app"), "deployed")

Scene = Callable[[SQLiteJournal], Awaitable[None]]


@pytest.fixture
def play(tmp_path: Path) -> Callable[[Scene], None]:
    """Plays a scene with an accepted run ``run-1``."""

    def play(scene: Scene) -> None:
        async def main() -> None:
            journal = SQLiteJournal(tmp_path / "j.sqlite3")
            try:
                await journal.accept(run().event, Runs(runs=(), key="k"), [run()])
                await scene(journal)
            finally:
                await journal.close()

        asyncio.run(main())

    return play


async def state(journal: SQLiteJournal) -> RunState:
    found = await journal.find("run-1")
    assert found
    return found.state


def test_only_what_is_accepted_is_cancelled_and_only_once(play: Callable[[Scene], None]) -> None:
    async def scene(journal: SQLiteJournal) -> None:
        assert not await journal.cancel("run-2", "")
        assert await journal.cancel("run-1", "not wanted any more")
        assert not await journal.cancel("run-1", "again")
        found = await journal.find("run-1")
        assert found
        assert (found.state, found.detail) == (RunState.CANCELLED, "not wanted any more")
        assert await journal.unfinished() == []

    play(scene)


@pytest.mark.parametrize("other", sorted(set(RunState) - {RunState.ACCEPTED}))
def test_what_has_another_state_keeps_it(play: Callable[[Scene], None], other: RunState) -> None:
    async def scene(journal: SQLiteJournal) -> None:
        await journal.finish("run-1", other, "")
        assert not await journal.cancel("run-1", "")
        assert await state(journal) is other

    play(scene)


def test_only_a_result_changes_a_run_that_is_lost(play: Callable[[Scene], None]) -> None:
    async def scene(journal: SQLiteJournal) -> None:
        await journal.finish("run-1", RunState.FLAGGED, "")
        await journal.report("run-1", RunState.LOST, "", None)
        assert not await journal.report("run-1", RunState.DEPLOYED, "", None)
        assert await state(journal) is RunState.LOST
        assert await journal.report("run-1", RunState.DEPLOYED, "", RESULT)
        assert not await journal.report("run-1", RunState.FAILED, "", RESULT)
        assert await state(journal) is RunState.DEPLOYED

    play(scene)


@pytest.mark.parametrize("other", [RunState.DISCARDED, RunState.CANCELLED, RunState.FAILED, RunState.DEPLOYED])
def test_a_result_changes_nothing_that_has_ended(play: Callable[[Scene], None], other: RunState) -> None:
    async def scene(journal: SQLiteJournal) -> None:
        await journal.finish("run-1", other, "")
        assert not await journal.report("run-1", RunState.FAILED, "", RESULT)
        assert await state(journal) is other

    play(scene)


def test_a_lost_run_may_turn_up_for_a_day(play: Callable[[Scene], None], monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(journal: SQLiteJournal) -> None:
        await journal.finish("run-1", RunState.LOST, "")
        assert [found.id for found in await journal.with_listener()] == ["run-1"]
        now = time.time()
        monkeypatch.setattr("duct_tape.journal.queries.time.time", lambda: now + 25 * 3600)
        assert await journal.with_listener() == []

    play(scene)
