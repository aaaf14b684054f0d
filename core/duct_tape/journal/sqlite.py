"""The journal's default engine: one SQLite file, write-ahead log, fsync at every commit."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Collection, Sequence
from pathlib import Path

from duct_tape.conf.model import JournalConf
from duct_tape.delivery import Runs
from duct_tape.errors import JournalError, StartupError
from duct_tape.events import Event
from duct_tape.journal import (
    Acceptance,
    Keep,
    Lease,
    Limits,
    Pause,
    Recorded,
    Stored,
    accepting,
    ending,
    lanes,
    pauses,
    pruning,
    queries,
)
from duct_tape.journal.presence import Presence
from duct_tape.journal.reader import Reader
from duct_tape.journal.schema import BACKUP, advice, connect, connect_reader, opened_anew
from duct_tape.journal.writer import Writer
from duct_tape.results import Result
from duct_tape.runs import Run, RunState


class SQLiteJournal:
    """See ``duct_tape.journal.Journal``.

    :param path: the database file; folders above it are made.
    :param exclusive: whether this is the server, of which there is one. Commands work beside it.
    :param limits: how much may wait.
    :raises StartupError: another server uses the file, or it cannot be opened.
    """

    def __init__(self, path: Path, *, exclusive: bool = True, limits: Limits = Limits()) -> None:  # noqa: B008 - frozen
        self._lock = _lock(path) if exclusive else os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        self._path = path
        self._untold = not exclusive
        self._acceptor = accepting.Acceptor(limits=limits, untold=self._untold)
        presence = Presence(path)

        def connected() -> sqlite3.Connection:
            if presence.generation:
                presence.check_file()
            presence.begin()
            return opened_anew(path) if exclusive else connect(path)

        self._presence = presence
        self._writer = Writer(connected, presence.check, presence.note)
        self._reader = Reader(lambda: connect_reader(path), presence)
        try:
            self._writer.start(lanes.begin if exclusive else None)
            presence.check_file()
        except sqlite3.Error as error:
            os.close(self._lock)
            raise StartupError(f"the journal {path} cannot be opened: {error}{advice(error)}") from None
        except BaseException:
            os.close(self._lock)
            raise

    async def accept(
        self, event: Event, decision: Runs, runs: Sequence[Run], *, again: bool = True, lease: Lease | None = None
    ) -> Acceptance:
        return await self._writer.run(lambda db: self._acceptor.accept(db, event, decision, runs, again, lease))

    def ignore(self, instance: str, event: Event, reason: str) -> None:
        self._writer.post(lambda db: accepting.ignore(db, instance, event, reason))

    async def claim(self, lease: Lease, application: str | None = None) -> list[Run]:
        return await self._writer.run(lambda db: lanes.claim(db, lease, application))

    async def heartbeat(self, lease: Lease) -> None:
        await self._writer.run(lambda db: lanes.heartbeat(db, lease))

    async def held(self, lease: Lease) -> list[str]:
        return await self._reader.run(lambda db: lanes.held(db, lease))

    async def release(self, lease: Lease, runs: Collection[str]) -> None:
        await self._writer.run(lambda db: lanes.release(db, lease, runs))

    async def fail(self, run: str, detail: str, wait: float) -> Run:
        return await self._writer.run(lambda db: lanes.fail(db, run, detail, wait))

    async def hold(self, run: str, detail: str) -> None:
        await self._writer.run(lambda db: lanes.hold(db, run, detail))

    async def finish(
        self,
        run: str,
        state: RunState,
        detail: str,
        supersedes: Sequence[str] = (),
        lease: Lease | None = None,
        result: Result | None = None,
    ) -> list[Run]:
        return await self._writer.run(lambda db: ending.finish(db, run, state, detail, supersedes, lease, result))

    async def with_listener(self) -> list[Run]:
        return await self._reader.run(queries.with_listener)

    async def report(self, run: str, state: RunState, detail: str, result: Result | None) -> bool:
        return await self._writer.run(lambda db: ending.report(db, run, state, detail, result, self._untold))

    async def cancel(self, run: str, detail: str) -> bool:
        return await self._writer.run(lambda db: ending.cancel(db, run, detail, self._untold))

    async def dead(self, limit: int, application: str | None = None) -> list[Run]:
        return await self._reader.run(lambda db: queries.dead(db, limit, application))

    async def redrive(self, run: str, again: str) -> bool:
        return await self._writer.run(lambda db: ending.redrive(db, run, again, self._untold))

    async def discard(self, run: str, detail: str) -> bool:
        return await self._writer.run(lambda db: ending.discard(db, run, detail, self._untold))

    async def pause(self, pause: Pause) -> None:
        await self._writer.run(lambda db: pauses.pause(db, pause))

    async def resume(self, application: str) -> Pause | None:
        return await self._writer.run(lambda db: pauses.resume(db, application))

    async def pauses(self) -> list[Pause]:
        return await self._reader.run(pauses.pauses)

    async def unfinished(self) -> list[Run]:
        return await self._reader.run(queries.unfinished)

    async def untold(self) -> list[Run]:
        return await self._writer.run(ending.untold)

    async def recent(
        self, limit: int, application: str | None = None, state: RunState | None = None, title: str | None = None
    ) -> list[Run]:
        return await self._reader.run(lambda db: queries.recent(db, limit, application, state, title))

    async def find(self, run: str) -> Run | None:
        return await self._reader.run(lambda db: next(iter(queries.with_ids(db, [run])), None))

    async def deliveries(self, limit: int) -> list[Recorded]:
        return await self._reader.run(lambda db: queries.deliveries(db, limit))

    async def delivery(self, delivery: str) -> list[Stored]:
        return await self._reader.run(lambda db: queries.delivery(db, delivery))

    async def counts(self) -> dict[str, int]:
        self._presence.check_sound()
        return await self._reader.run(queries.counts)

    async def examine(self) -> None:
        """Look at every page of the file, which takes the longer the larger it is.

        :raises JournalError: it is damaged, or cannot be read.
        """
        if problem := await self._reader.run(queries.damage):
            raise JournalError(f"the journal {self._path} is damaged ({problem}); {BACKUP}")

    async def prune(self, keep: Keep) -> int:
        total = 0
        while pruned := await self._writer.run(lambda db: pruning.prune(db, keep)):
            total += pruned
        return total

    async def close(self) -> None:
        await self._reader.close()
        await self._writer.close()
        os.close(self._lock)


def open_journal(conf: JournalConf, *, exclusive: bool = True) -> SQLiteJournal:
    """The configured journal. See ``SQLiteJournal``."""
    limits = Limits(runs=conf.max_waiting, size=conf.max_waiting_bytes)
    return SQLiteJournal(conf.path, exclusive=exclusive, limits=limits)


def _lock(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StartupError(f"the journal {path} cannot be opened: {error.strerror}") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise StartupError(f"another server already uses the journal {path}: stop it first") from None
    return handle
