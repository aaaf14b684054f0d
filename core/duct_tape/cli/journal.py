"""The journal and the volume for commands that work beside a running server."""

from __future__ import annotations

import asyncio
import difflib
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

from attrs import evolve

from duct_tape.conf.load import load
from duct_tape.conf.model import JournalConf
from duct_tape.conf.sources import read
from duct_tape.errors import DuctTapeError
from duct_tape.journal import Pause
from duct_tape.journal.sqlite import SQLiteJournal, open_journal
from duct_tape.runs import Run, RunState
from duct_tape.volume import Volume

T = TypeVar("T")

# Of the latest runs.
LOOKED_AT = 1000
PICKED_UP = "A running server carries it out within a second, otherwise the next start does."
PAUSED = "It waits: {0} is paused by {1}, until `duct-tape resume {0}`."


def with_journal(config: Path | None, question: Callable[[SQLiteJournal], Awaitable[T]]) -> T:
    """The answer of the configured journal.

    :raises DuctTapeError: there is no configuration, or no journal.
    """
    return with_journal_of(load(read(config))[0].core.journal, question)


def with_stores(config: Path | None, question: Callable[[SQLiteJournal, Volume], Awaitable[T]]) -> T:
    """The answer of the configured journal, and the shared volume for the question.

    :raises DuctTapeError: there is no configuration, or no journal yet.
    """
    core = load(read(config))[0].core
    volume = Volume(core.volume.path.absolute())
    return with_journal_of(core.journal, lambda journal: question(journal, volume))


def with_journal_of(conf: JournalConf, question: Callable[[SQLiteJournal], Awaitable[T]]) -> T:
    """The same for a configuration that is read already."""
    if not conf.path.exists():
        if Path(f"{conf.path}.lock").exists():
            raise DuctTapeError(
                f"the journal {conf.path} is gone, though a server has used it: put it back, or a backup in its place, "
                "and start the server again; without them it begins a new one"
            )
        raise DuctTapeError(f"there is no journal {conf.path} yet: `duct-tape serve` makes it")

    async def main() -> T:
        journal = open_journal(conf, exclusive=False)
        try:
            return await question(journal)
        finally:
            await journal.close()

    return asyncio.run(main())


async def existing(journal: SQLiteJournal, run: str) -> Run:
    """The run with that id.

    :raises DuctTapeError: there is none.
    """
    if found := await journal.find(run):
        return found
    raise DuctTapeError(f"there is no run {run[:100]!r}; `duct-tape runs list` shows them")


def moment(seconds: float) -> str:
    """A time for tables: RFC 3339 in UTC, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


async def explained(journal: SQLiteJournal, runs: Sequence[Run]) -> list[Run]:
    """The runs; those that wait for the end of a pause say so."""
    paused = {pause.application: pause for pause in await journal.pauses()}
    return [_waiting(run, paused.get(run.application)) for run in runs]


def _waiting(run: Run, pause: Pause | None) -> Run:
    if pause is None or run.state is not RunState.ACCEPTED:
        return run
    why = f": {pause.reason}" if pause.reason else ""
    return evolve(run, detail=f"{run.application} is paused by {pause.who}{why}")


async def unknown(journal: SQLiteJournal, application: str) -> str:
    """That nobody has heard of an application, and which name may be meant; empty if it is known."""
    if await journal.recent(1, application):
        return ""
    known = sorted({run.application for run in await journal.recent(LOOKED_AT)})
    near = difflib.get_close_matches(application, known)
    guess = f"did you mean {' or '.join(near)}?" if near else f"known are: {', '.join(known[:10]) or 'none'}"
    return f"nothing of {application[:100]!r} was accepted here so far; {guess}"


async def when(journal: SQLiteJournal, application: str) -> str:
    """When a run that was accepted now is carried out, as a sentence."""
    for pause in await journal.pauses():
        if pause.application == application:
            return PAUSED.format(application, pause.who)
    return PICKED_UP
