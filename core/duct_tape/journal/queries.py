"""Questions to the journal. None of them changes anything."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from typing import Any

from duct_tape.events import event_from_json
from duct_tape.journal import Recorded, Stored
from duct_tape.results import Result
from duct_tape.runs import UNSUCCESSFUL, Run, RunState

# Sorted by rowid and not by id wherever order matters: an id begins with the time, and clocks jump.
RUN = (
    "SELECT runs.id, runs.instance, application, trigger_name, vars, runs.state, attempts, detail, created_at, "
    "updated_at, result, runs.rowid, deliveries.content FROM runs JOIN deliveries ON deliveries.id = runs.delivery"
)
_DELIVERY = (
    "SELECT instance, delivery, received_at, event, action, repository, state, reason, content, id FROM deliveries"
)
_UNSUCCESSFUL = ", ".join(f"'{state}'" for state in sorted(UNSUCCESSFUL))


def unfinished(db: sqlite3.Connection) -> list[Run]:
    """See ``Journal.unfinished``."""
    return _runs(db, "runs.state = 'accepted' ORDER BY runs.rowid")


def with_listener(db: sqlite3.Connection) -> list[Run]:
    """See ``Journal.with_listener``."""
    # A lost run may turn up for a day.
    return _runs(
        db,
        "runs.state IN ('flagged', 'deploying') OR (runs.state = 'lost' AND updated_at > ?) ORDER BY runs.rowid",
        (time.time() - 24 * 3600,),
    )


def recent(
    db: sqlite3.Connection, limit: int, application: str | None, state: RunState | None, title: str | None
) -> list[Run]:
    """See ``Journal.recent``."""
    wanted = {"application": application, "runs.state": state, "title": title}
    given = {column: value for column, value in wanted.items() if value is not None}
    where = " AND ".join(f"{column} = ?" for column in given) or "TRUE"
    return _runs(db, f"{where} ORDER BY runs.rowid DESC LIMIT ?", (*given.values(), limit))


# Two questions, since "or" would read all later runs of the application for each; the plus signs keep SQLite from
# looking the second one up by application.
_DEAD = (
    f"SELECT rowid FROM runs WHERE state IN ({_UNSUCCESSFUL}) AND coalesce(application = :application, TRUE)"
    " AND NOT EXISTS (SELECT 1 FROM runs later WHERE later.application = runs.application AND later.trigger_name ="
    " runs.trigger_name AND later.rowid > runs.rowid AND later.state IN ('deployed', 'done'))"
    " AND NOT EXISTS (SELECT 1 FROM runs later WHERE later.instance = runs.instance AND later.event_key ="
    " runs.event_key AND +later.application = runs.application AND +later.trigger_name = runs.trigger_name"
    " AND +later.rowid > runs.rowid) ORDER BY rowid DESC LIMIT :limit"
)


def dead(db: sqlite3.Connection, limit: int, application: str | None) -> list[Run]:
    """See ``Journal.dead``."""
    values = {"application": application, "limit": limit}
    return _runs(db, f"runs.rowid IN ({_DEAD}) ORDER BY runs.rowid DESC", values)


def with_ids(db: sqlite3.Connection, ids: Sequence[str]) -> list[Run]:
    """The runs with these ids, in this order; ids without a run are left out."""
    return [run for one in ids for run in _runs(db, "runs.id = ?", (one,))]


def deliveries(db: sqlite3.Connection, limit: int) -> list[Recorded]:
    """See ``Journal.deliveries``."""
    return [_recorded(row) for row in db.execute(f"{_DELIVERY} ORDER BY id DESC LIMIT ?", (limit,))]


def delivery(db: sqlite3.Connection, identity: str) -> list[Stored]:
    """See ``Journal.delivery``."""
    return [
        Stored(
            recorded=_recorded(row),
            event=event_from_json(json.loads(row[8])) if len(row[8]) > 2 else None,
            runs=tuple(_runs(db, "runs.delivery = ? ORDER BY runs.rowid", (row[9],))),
        )
        for row in db.execute(f"{_DELIVERY} WHERE delivery = ? ORDER BY id", (identity,)).fetchall()
    ]


def counts(db: sqlite3.Connection) -> dict[str, int]:
    """See ``Journal.counts``."""
    return dict(db.execute("SELECT state, runs FROM totals WHERE runs > 0 ORDER BY state").fetchall())


def damage(db: sqlite3.Connection) -> str:
    """What is wrong with the file, in SQLite's words; empty if nothing is."""
    (found,) = db.execute("PRAGMA quick_check(1)").fetchone()
    return "" if found == "ok" else str(found)


def _runs(db: sqlite3.Connection, condition: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[Run]:
    return [_run(row) for row in db.execute(f"{RUN} WHERE {condition}", values).fetchall()]


def _recorded(row: Sequence[Any]) -> Recorded:
    instance, identity, received, event, action, repository, state, reason, *_ = row
    return Recorded(
        instance=instance,
        delivery=identity,
        received_at=received,
        event=event,
        action=action,
        repository=repository,
        state=state,
        reason=reason,
    )


def _run(row: Sequence[Any]) -> Run:
    identity, instance, application, trigger, values, state, attempts, detail, *rest = row
    created, updated, result, number, content = rest
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
        number=number,
    )
