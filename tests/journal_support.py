"""What the tests of the journal's engines share. An engine that is added to ``ENGINES`` has to pass all of them."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

import pytest
from attrs import evolve
from tests.server_support import event, run

from duct_tape.api import Run, Runs
from duct_tape.journal import Acceptance, Journal, Lease, Limits
from duct_tape.journal.sqlite import SQLiteJournal


class Engine(Protocol):
    """Opens a journal.

    :param folder: two calls with one folder open one journal.
    :param server: whether it is the one of the server, or of a command beside it.
    """

    def __call__(self, folder: Path, server: bool, limits: Limits) -> Journal: ...


def sqlite(folder: Path, server: bool, limits: Limits) -> Journal:
    return SQLiteJournal(folder / "var" / "journal.sqlite3", exclusive=server, limits=limits)


ENGINES: dict[str, Engine] = {"sqlite": sqlite}

LEASE = Lease(holder="me", seconds=60.0, horizon=60.0)
Function = Callable[[Journal], Awaitable[None]]


class With(Protocol):
    """Runs a function with the journal of one folder; called again, it is a restart."""

    def __call__(self, function: Function, *, server: bool = True, limits: Limits = ...) -> None: ...


@pytest.fixture(params=sorted(ENGINES))
def with_journal(request: pytest.FixtureRequest, tmp_path: Path) -> With:
    engine = ENGINES[request.param]

    def opened(function: Function, *, server: bool = True, limits: Limits = Limits()) -> None:  # noqa: B008 - frozen
        async def main() -> None:
            journal = engine(tmp_path, server, limits)
            try:
                await function(journal)
            finally:
                await journal.close()

        asyncio.run(main())

    return opened


async def accept(
    journal: Journal,
    number: int,
    *applications: str,
    delivery: str = "",
    lease: Lease | None = None,
    again: bool = True,
    trigger: str = "deploy",
    **decision: Any,
) -> Acceptance:
    """Accept one delivery with a run for each application; ids are ``<application>-<number>``."""
    delivery = delivery or f"d-{number}"
    given = event(delivery, payload={"size": "x" * decision.pop("size", 0)})
    planned = [run(application=name, event=given, created_at=float(number)) for name in applications or ("app",)]
    runs = [evolve(item, id=f"{item.application}-{number}", trigger=trigger) for item in planned]
    return await journal.accept(given, Runs(runs=(), **decision), runs, again=again, lease=lease)


async def version(journal: Journal, number: int, *applications: str, **decision: Any) -> Acceptance:
    """Accept the release ``v<number>``; a higher number is a newer one."""
    given = {"version": f"{number:04}", "title": f"v{number}", "key": f"release:{number}", **decision}
    return await accept(journal, number, *applications, **given)


def ids(runs: Iterable[Run]) -> list[str]:
    return [item.id for item in runs]


async def states(journal: Journal) -> dict[str, str]:
    return {item.id: str(item.state) for item in await journal.recent(1000)}


def damage(path: Path, table: str) -> None:
    """Overwrite the first page of a table or an index."""
    db = sqlite3.connect(path)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", [table]).fetchone()
    (size,) = db.execute("PRAGMA page_size").fetchone()
    db.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
