"""Ending: what runs come to, by their action, by the listener and by operators."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence

from duct_tape.journal import Lease
from duct_tape.journal.lanes import FREE, claim, superseded_by, text
from duct_tape.journal.queries import with_ids
from duct_tape.results import Result
from duct_tape.runs import UNSUCCESSFUL, Run, RunState

_UNSUCCESSFUL = ", ".join(f"'{state}'" for state in sorted(UNSUCCESSFUL))


def finish(
    db: sqlite3.Connection,
    run: str,
    state: RunState,
    detail: str,
    supersedes: Sequence[str],
    lease: Lease | None,
    result: Result | None,
) -> list[Run]:
    """See ``Journal.finish``."""
    now = time.time()
    said = result.to_line().decode() if result else None
    db.execute(
        "UPDATE runs SET state = ?, detail = ?, result = ?, attempts = attempts + 1, updated_at = ?, leased_by = NULL"
        " WHERE id = ? AND state = 'accepted'",
        (state, text(detail), said, now, run),
    )
    for old in supersedes:
        # The id was read from the shared volume: it counts only for a run of the same application that left a flag.
        db.execute(
            "UPDATE runs SET state = 'superseded', detail = ?, updated_at = ?, untold = 1 WHERE id = ? AND id <> ? AND "
            "state IN ('flagged', 'done') AND application = (SELECT application FROM runs WHERE id = ?)",
            (f"run {run} replaced its flag", now, old, run, run),
        )
    if lease is None:
        return []
    lane = db.execute("SELECT application FROM runs WHERE id = ?", (run,)).fetchone()
    return claim(db, lease, lane[0]) if lane else []


def report(db: sqlite3.Connection, run: str, state: RunState, detail: str, result: Result | None, untold: bool) -> bool:
    """See ``Journal.report``."""
    # A flag that was claimed at the very moment in which another replaced it counts as superseded, until its
    # result tells otherwise. So does a lost run: a listener that starts again deploys once more what it had begun.
    said = result.to_line().decode() if result else None
    changed = db.execute(
        "UPDATE runs SET state = ?, detail = ?, result = ?, updated_at = ?, untold = ? WHERE id = ? AND (state IN"
        " ('flagged', 'deploying') OR (state IN ('superseded', 'lost') AND result IS NULL AND ? IS NOT NULL))"
        " RETURNING id",
        (state, text(detail), said, time.time(), untold, run, said),
    )
    return changed.fetchone() is not None


def cancel(db: sqlite3.Connection, run: str, detail: str, untold: bool) -> bool:
    """See ``Journal.cancel``."""
    changed = db.execute(
        "UPDATE runs SET state = 'cancelled', detail = :detail, updated_at = :now, untold = :untold"
        f" WHERE id = :run AND state = 'accepted' AND {FREE} RETURNING id",
        {"detail": text(detail), "now": time.time(), "untold": untold, "run": run},
    )
    return changed.fetchone() is not None


def discard(db: sqlite3.Connection, run: str, detail: str, untold: bool) -> bool:
    """See ``Journal.discard``."""
    changed = db.execute(
        "UPDATE runs SET state = 'discarded', detail = ?, updated_at = ?, untold = ? WHERE id = ? AND"
        f" state IN ({_UNSUCCESSFUL}) RETURNING id",
        (text(detail), time.time(), untold, run),
    )
    return changed.fetchone() is not None


def redrive(db: sqlite3.Connection, run: str, again: str, untold: bool) -> bool:
    """See ``Journal.redrive``."""
    # The same event: a redelivery is its duplicate, too.
    inserted = db.execute(
        "INSERT INTO runs (id, delivery, instance, application, trigger_name, event_key, version, title, vars, state,"
        " detail, created_at, updated_at, bytes, untold) SELECT ?, delivery, instance, application, trigger_name,"
        " event_key, version, title, vars, 'accepted', 'repeats run ' || id, ?, ?, bytes, ? FROM runs"
        " WHERE id = ? RETURNING id",
        (again, now := time.time(), now, untold, run),
    ).fetchone()
    superseded_by(db, again, untold)
    return inserted is not None


def untold(db: sqlite3.Connection) -> list[Run]:
    """See ``Journal.untold``."""
    rows = db.execute("UPDATE runs SET untold = 0 WHERE untold RETURNING id").fetchall()
    return with_ids(db, [row[0] for row in rows])
