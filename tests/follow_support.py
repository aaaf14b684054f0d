"""A follower for the tests: with a volume, a journal, and a run whose flag was just left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.server_support import run

from duct_tape.api import Run, RunState
from duct_tape.conf.model import VolumeConf
from duct_tape.delivery import Runs
from duct_tape.follow import Follower
from duct_tape.journal.sqlite import SQLiteJournal
from duct_tape.observers import Observers
from duct_tape.plugins.registry import Registry
from duct_tape.results import Result, State
from duct_tape.volume import Volume

Scene = Callable[[Follower, SQLiteJournal], Awaitable[None]]


@pytest.fixture
def follow(tmp_path: Path) -> Callable[..., None]:
    """Plays a scene with a flagged run ``run-1`` of ``app``."""
    (tmp_path / "volume/.results").mkdir(parents=True)

    def play(scene: Scene, **conf: float) -> None:
        async def main() -> None:
            journal = SQLiteJournal(tmp_path / "j.sqlite3")
            try:
                settings = VolumeConf(path=tmp_path / "volume", **conf)
                follower = Follower(Volume(settings.path), journal, Observers(Registry()), settings, seconds=0.001)
                flagged = await flag(journal, run())
                follower.flagged(flagged)
                await scene(follower, journal)
            finally:
                await journal.close()

        asyncio.run(main())

    return play


async def flag(journal: SQLiteJournal, given: Run) -> Run:
    await journal.accept(given.event, Runs(runs=(), key=f"key {given.id}"), [given])
    await journal.finish(given.id, RunState.FLAGGED, "left")
    found = await journal.find(given.id)
    assert found
    return found


def write(folder: Path, state: State, name: str = "run-1", **members: Any) -> None:
    given = {"run": name, "application": "app", "state": state, **members}
    (folder / f"volume/.results/{name}.json").write_bytes(Result(**given).to_line())


async def states(journal: SQLiteJournal) -> dict[str, str]:
    return {found.id: str(found.state) for found in await journal.recent(10)}
