"""Pruning: what of the past may be forgotten."""

from __future__ import annotations

import sqlite3

from duct_tape.journal import Keep
from duct_tape.journal.accepting import LIVE

# So many rows at a time, so that nobody waits long for the writer.
CHUNK = 500

# How many of the latest deliveries have to be as young: a release makes several.
PRESENT = 20

_ENDED = "state NOT IN ('accepted', 'flagged', 'deploying')"
_GOOD = "state IN ('deployed', 'done')"
_LANE = "other.application = runs.application AND other.trigger_name = runs.trigger_name"
# What `duct-tape redeploy` goes back to.
_LAST_GOOD = (
    f"{_GOOD} AND NOT EXISTS (SELECT 1 FROM runs other WHERE {_LANE} AND other.rowid > runs.rowid AND other.{_GOOD})"
)
# What an older release that comes late is compared with.
_NEWEST = (
    f"version IS NOT NULL AND {LIVE}"
    f" AND NOT EXISTS (SELECT 1 FROM runs other WHERE {_LANE} AND other.version > runs.version AND other.{LIVE})"
)


def prune(db: sqlite3.Connection, keep: Keep) -> int:
    """Forget the oldest rows that may go, at most ``CHUNK``; returns how many there were."""
    rows = db.execute(
        f"SELECT rowid, delivery FROM runs WHERE {_ENDED} AND NOT untold AND (updated_at < ? OR rowid <= ?)"
        f" AND NOT ({_LAST_GOOD}) AND NOT ({_NEWEST}) ORDER BY rowid LIMIT ?",
        (_present(db) - keep.seconds, _beyond(db, "runs", "rowid", keep.runs), CHUNK),
    ).fetchall()
    db.executemany("DELETE FROM runs WHERE rowid = ?", [(row[0],) for row in rows])
    _prune_deliveries(db, keep, {row[1] for row in rows})
    return len(rows)


def _prune_deliveries(db: sqlite3.Connection, keep: Keep, of_runs: set[int]) -> None:
    """Forget deliveries that made no runs, or whose runs are gone."""
    old = db.execute(
        "SELECT id FROM deliveries WHERE state = 'ignored' AND (received_at < ? OR id <= ?) ORDER BY id LIMIT ?",
        (_present(db) - keep.seconds, _beyond(db, "deliveries", "id", keep.runs), CHUNK),
    ).fetchall()
    for identity in {row[0] for row in old} | of_runs:
        db.execute(
            "DELETE FROM deliveries WHERE id = ? AND NOT EXISTS (SELECT 1 FROM runs WHERE delivery = deliveries.id)",
            (identity,),
        )


def _present(db: sqlite3.Connection) -> float:
    """The journal's own present: a clock that jumps years ahead must not cost the whole past."""
    row = db.execute(
        "SELECT min(received_at) FROM (SELECT received_at FROM deliveries ORDER BY id DESC LIMIT ?)", (PRESENT,)
    ).fetchone()
    return float(row[0] or 0.0)


def _beyond(db: sqlite3.Connection, table: str, column: str, number: int) -> int:
    """The newest row that is not among the latest ``number``."""
    row = db.execute(f"SELECT {column} FROM {table} ORDER BY {column} DESC LIMIT 1 OFFSET ?", (number,)).fetchone()
    return int(row[0]) if row else -1
