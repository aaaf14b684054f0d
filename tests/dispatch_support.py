"""A dispatcher over a journal in a folder of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from tests.server_support import Recorder, event, run

from duct_tape.api import Release, Result, Run, Runs, RunState
from duct_tape.assembly import Assembly, assemble
from duct_tape.dispatch import Dispatcher
from duct_tape.errors import JournalError
from duct_tape.journal import Lease
from duct_tape.journal.sqlite import SQLiteJournal
from duct_tape.observers import Observers
from duct_tape.retry import Retry

AT_ONCE = Retry(attempts=3, base=0.0)
DEPLOY = '[triggers.deploy]\naction = "record"\n[plugins.recorder]'


class Brittle(SQLiteJournal):
    """A journal whose disk is full for the next ``failures`` endings of a run or of an attempt."""

    failures = 0

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.changed = asyncio.Event()

    def _write(self) -> None:
        self.changed.set()
        if self.failures:
            self.failures -= 1
            raise JournalError("the disk is full")

    async def finish(
        self,
        run: str,
        state: RunState,
        detail: str,
        supersedes: Sequence[str] = (),
        lease: Lease | None = None,
        result: Result | None = None,
    ) -> list[Run]:
        self._write()
        claimed = await super().finish(run, state, detail, supersedes, lease, result)
        self.changed.set()
        return claimed

    async def fail(self, run: str, detail: str, wait: float) -> Run:
        self._write()
        failed = await super().fail(run, detail, wait)
        self.changed.set()
        return failed


class Case:
    """What a check is given: a dispatcher with its journal."""

    def __init__(self, dispatcher: Dispatcher, journal: Brittle) -> None:
        self.dispatcher = dispatcher
        self.journal = journal

    async def accept(self, *runs: Run, **decision: Any) -> None:
        """As the server does it: record the runs, one delivery each, and hand them over."""
        for item in runs:
            given = {"key": item.id, **decision}
            accepted = await self.journal.accept(
                item.event, Runs(runs=(), **given), [item], lease=self.dispatcher.lease
            )
            self.dispatcher.submit(accepted)

    async def carry_out(self, *runs: Run, **decision: Any) -> None:
        await self.accept(*runs, **decision)
        await self.settled()

    async def settled(self) -> None:
        async with asyncio.timeout(20):
            await self.dispatcher.settle()

    async def until(self, run: str, state: str = "accepted", attempts: int = 0) -> None:
        """Wait until a run is in a state, after at least so many attempts."""
        async with asyncio.timeout(20):
            while True:
                self.journal.changed.clear()
                found = await self.journal.find(run)
                if found and found.state == state and found.attempts >= attempts:
                    return
                await self.journal.changed.wait()

    async def outcomes(self) -> dict[str, tuple[str, str]]:
        """State and detail of every run."""
        return {item.id: (str(item.state), item.detail) for item in await self.journal.recent(100)}

    async def only(self) -> tuple[str, str, int]:
        """State, detail and attempts of the only run."""
        (found,) = await self.journal.recent(100)
        return str(found.state), found.detail, found.attempts


Check = Callable[[Case], Awaitable[None]]
Start = Callable[..., None]


@pytest.fixture
def dispatch(tmp_path: Path) -> Start:
    """Runs a function with a dispatcher; called again, it is a restart."""

    def started(recorder: Recorder | object, check: Check, retry: Retry = AT_ONCE) -> None:
        path = tmp_path / "duct_tape.toml"
        path.write_text(DEPLOY)
        plugin = recorder.module if isinstance(recorder, Recorder) else recorder
        assembly: Assembly = assemble(path, {"recorder": plugin})

        async def main() -> None:
            journal = Brittle(tmp_path / "journal.sqlite3")
            try:
                await check(Case(Dispatcher(assembly, journal, Observers(assembly.registry), retry), journal))
            finally:
                await journal.close()

        asyncio.run(main())

    return started


def tagged(number: int, **members: Any) -> Run:
    """A run for the release ``v<number>``."""
    release = Release(id=str(number), tag=f"v{number}")
    return run(number, **{"event": evolve(event(f"d-{number}"), release=release), **members})
