"""The journal's default engine: one SQLite file, write-ahead log, fsync at every commit."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from duct_tape.delivery import Runs
from duct_tape.errors import JournalError, StartupError
from duct_tape.events import Event, event_from_json, event_to_json
from duct_tape.journal import Acceptance, Recorded
from duct_tape.journal.schema import connect
from duct_tape.journal.writer import Writer
from duct_tape.results import Result
from duct_tape.runs import REPEATABLE, Run, RunState

MAX_IGNORED = 10_000

_LIVE = "state NOT IN ({})".format(", ".join(f"'{state}'" for state in sorted(REPEATABLE)))
# Sorted by rowid and not by id wherever order matters: an id begins with the time, and clocks jump.
_RUN = (
    "SELECT runs.id, runs.instance, application, trigger_name, vars, runs.state, attempts, detail, created_at, "
    "updated_at, result, deliveries.content FROM runs JOIN deliveries ON deliveries.id = runs.delivery"
)


_DELIVERIES = (
    "SELECT instance, delivery, received_at, event, action, repository, state, reason FROM deliveries"
    " ORDER BY id DESC LIMIT ?"
)


class SQLiteJournal:
    """See ``duct_tape.journal.Journal``.

    :param path: the database file; folders above it are made.
    :param exclusive: whether this is the server, of which there is one. Commands work beside it.
    :raises StartupError: another server uses the file, or it cannot be opened.
    """

    def __init__(self, path: Path, *, exclusive: bool = True) -> None:
        self._lock = _lock(path) if exclusive else os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        self._path = path
        self._inode = 0
        self._writer = Writer(lambda: connect(path), self._still_there)
        try:
            self._writer.start()
            self._inode = os.stat(path).st_ino
        except BaseException:
            os.close(self._lock)
            raise

    async def accept(self, event: Event, decision: Runs, runs: Sequence[Run], *, again: bool = True) -> Acceptance:
        return await self._writer.run(lambda db: _accept(db, event, decision, runs, again))

    def ignore(self, instance: str, event: Event, reason: str) -> None:
        self._writer.post(lambda db: _ignore(db, instance, event, reason))

    async def unfinished(self) -> list[Run]:
        sql = f"{_RUN} WHERE runs.state = 'accepted' ORDER BY runs.rowid"
        return await self._writer.run(lambda db: [_run(row) for row in db.execute(sql)])

    async def attempted(self, run: str, detail: str) -> None:
        sql = "UPDATE runs SET attempts = attempts + 1, detail = ?, updated_at = ? WHERE id = ?"
        await self._writer.run(lambda db: db.execute(sql, (detail, time.time(), run)))

    async def finish(self, run: str, state: RunState, detail: str, supersedes: Sequence[str] = ()) -> None:
        await self._writer.run(lambda db: _finish(db, run, state, detail, supersedes))

    async def with_listener(self) -> list[Run]:
        sql = f"{_RUN} WHERE runs.state IN ('flagged', 'deploying') ORDER BY runs.rowid"
        return await self._writer.run(lambda db: [_run(row) for row in db.execute(sql)])

    async def report(self, run: str, state: RunState, detail: str, result: Result | None) -> bool:
        return await self._writer.run(lambda db: _report(db, run, state, detail, result))

    async def recent(
        self, limit: int, application: str | None = None, state: RunState | None = None, title: str | None = None
    ) -> list[Run]:
        wanted = {"application": application, "runs.state": state, "title": title}
        given = {column: value for column, value in wanted.items() if value is not None}
        where = " AND ".join(f"{column} = ?" for column in given) or "TRUE"
        sql = f"{_RUN} WHERE {where} ORDER BY runs.rowid DESC LIMIT ?"
        return await self._writer.run(lambda db: [_run(row) for row in db.execute(sql, (*given.values(), limit))])

    async def find(self, run: str) -> Run | None:
        sql = f"{_RUN} WHERE runs.id = ?"
        return await self._writer.run(lambda db: next((_run(row) for row in db.execute(sql, (run,))), None))

    async def repeat(self, run: str, again: str) -> None:
        await self._writer.run(lambda db: _repeat(db, run, again))

    async def deliveries(self, limit: int) -> list[Recorded]:
        return await self._writer.run(lambda db: [Recorded(*row) for row in db.execute(_DELIVERIES, (limit,))])

    async def counts(self) -> dict[str, int]:
        sql = "SELECT state, count(*) FROM runs GROUP BY state"
        return await self._writer.run(lambda db: dict(db.execute(sql).fetchall()))

    def _still_there(self) -> None:
        """Refuse to commit into a file that was deleted or replaced: SQLite would do it without a word."""
        try:
            inode = os.stat(self._path).st_ino
        except OSError:
            inode = -1
        if self._inode not in (0, inode):
            raise JournalError(f"the journal {self._path} was taken away or replaced: start the server again")

    async def close(self) -> None:
        await self._writer.close()
        os.close(self._lock)


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


def _accept(db: sqlite3.Connection, event: Event, decision: Runs, runs: Sequence[Run], again: bool) -> Acceptance:
    instance = runs[0].instance
    key = decision.key or f"delivery:{event.delivery}"
    known = _known(db, instance, key, event.delivery, _LIVE if again else "TRUE")
    duplicates = tuple(known[run.application, run.trigger] for run in runs if (run.application, run.trigger) in known)
    fresh = [run for run in runs if (run.application, run.trigger) not in known]
    older = "" if decision.allow_older else _older(db, decision, fresh)
    if older or not fresh:
        return Acceptance(duplicates=duplicates, older=older)
    delivery = _record(db, instance, event, "accepted", "", json.dumps(event_to_json(event)))
    for run in fresh:
        db.execute(
            "INSERT INTO runs (id, delivery, instance, application, trigger_name, event_key, version, title, vars,"
            " state, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (run.id, delivery, instance, run.application, run.trigger, key, decision.version, decision.title,
             json.dumps(dict(run.vars), default=str), run.state, run.created_at, run.created_at),
        )  # fmt: skip
    return Acceptance(runs=tuple(fresh), duplicates=duplicates)


def _known(db: sqlite3.Connection, instance: str, key: str, delivery: str, counts: str) -> dict[tuple[str, str], str]:
    """Runs of the same event, by application and trigger.

    :param counts: the condition on which a run is one.
    """
    rows = db.execute(
        f"SELECT application, trigger_name, id FROM runs WHERE instance = ? AND event_key = ? AND {counts} UNION "
        "SELECT application, trigger_name, id FROM runs WHERE delivery = "
        f"(SELECT id FROM deliveries WHERE instance = ? AND delivery = ?) AND {counts}",
        (instance, key, instance, delivery),
    )
    return {(application, trigger): run for application, trigger, run in rows}


def _older(db: sqlite3.Connection, decision: Runs, runs: Sequence[Run]) -> str:
    """Why the runs are not made, if a newer version of one of their applications was accepted before."""
    if decision.version is None:
        return ""
    for run in runs:
        row = db.execute(
            f"SELECT title FROM runs WHERE application = ? AND trigger_name = ? AND version > ? AND {_LIVE} "
            "ORDER BY version DESC LIMIT 1",
            (run.application, run.trigger, decision.version),
        ).fetchone()
        if row:
            return f"{decision.title} is older than {row[0]}, which was accepted before for {run.application}"
    return ""


def _record(db: sqlite3.Connection, instance: str, event: Event, state: str, reason: str, content: str) -> int:
    row = db.execute(
        "INSERT INTO deliveries (instance, delivery, received_at, event, action, repository, state, reason, content)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (instance, delivery) DO UPDATE SET"
        " state = excluded.state, reason = excluded.reason, content = excluded.content RETURNING id",
        (instance, event.delivery, time.time(), event.name, event.action, event.repository, state, reason, content),
    ).fetchone()  # fmt: skip
    return int(row[0])


def _ignore(db: sqlite3.Connection, instance: str, event: Event, reason: str) -> None:
    accepted = db.execute(
        "SELECT 1 FROM deliveries WHERE instance = ? AND delivery = ? AND state = 'accepted'",
        (instance, event.delivery),
    ).fetchone()
    if accepted is None:
        number = _record(db, instance, event, "ignored", reason, "{}")
        db.execute("DELETE FROM deliveries WHERE state = 'ignored' AND id <= ?", (number - MAX_IGNORED,))


def _finish(db: sqlite3.Connection, run: str, state: RunState, detail: str, supersedes: Sequence[str]) -> None:
    now = time.time()
    db.execute(
        "UPDATE runs SET state = ?, detail = ?, attempts = attempts + 1, updated_at = ? WHERE id = ?",
        (state, detail, now, run),
    )
    for old in supersedes:
        # The id was read from the shared volume: it counts only for a run of the same application that left a flag.
        db.execute(
            "UPDATE runs SET state = 'superseded', detail = ?, updated_at = ? WHERE id = ? AND id <> ? AND "
            "state IN ('flagged', 'done') AND application = (SELECT application FROM runs WHERE id = ?)",
            (f"run {run} replaced its flag", now, old, run, run),
        )


def _repeat(db: sqlite3.Connection, run: str, again: str) -> None:
    # A key of its own: it must be no duplicate of the run that it repeats.
    db.execute(
        "INSERT INTO runs (id, delivery, instance, application, trigger_name, event_key, version, title, vars, state,"
        " detail, created_at, updated_at) SELECT ?, delivery, instance, application, trigger_name, 'repeat:' || ?,"
        " version, title, vars, 'accepted', 'repeats run ' || id, ?, ? FROM runs WHERE id = ?",
        (again, again, now := time.time(), now, run),
    )


def _report(db: sqlite3.Connection, run: str, state: RunState, detail: str, result: Result | None) -> bool:
    # A flag that was claimed at the very moment in which another replaced it counts as superseded, until its
    # result tells otherwise.
    changed = db.execute(
        "UPDATE runs SET state = ?, detail = ?, result = ?, updated_at = ? WHERE id = ? AND (state IN"
        " ('flagged', 'deploying') OR (state = 'superseded' AND result IS NULL AND ? IS NOT NULL)) RETURNING id",
        (state, detail, text := result.to_line().decode() if result else None, time.time(), run, text),
    )
    return changed.fetchone() is not None


def _run(row: Sequence[Any]) -> Run:
    identity, instance, application, trigger, values, state, attempts, detail, *rest = row
    created, updated, result, content = rest
    return Run(
        id=identity,
        instance=instance,
        application=application,
        trigger=trigger,
        event=event_from_json(json.loads(content)),
        vars=json.loads(values),
        state=RunState(state),
        attempts=attempts,
        detail=detail,
        created_at=created,
        updated_at=updated,
        result=Result.parse(result.encode()) if result else None,
    )
