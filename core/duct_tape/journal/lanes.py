"""Lanes: whose turn it is, who is at work, and who gives way."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Mapping

from duct_tape.journal import Lease
from duct_tape.journal.queries import with_ids
from duct_tape.runs import Run

# Later than every clock. What is due then waits for the next start.
HELD = 1e12
# No lease is longer: a time further ahead was written under a clock that has been set back since.
LONGEST = 3600.0

FREE = f"(runs.leased_by IS NULL OR runs.leased_until <= :now OR runs.leased_until > :now + {LONGEST})"
_DUE = "(due_at <= :now OR due_at > :now + :horizon)"


def claim(
    db: sqlite3.Connection, lease: Lease, application: str | None = None, known: Mapping[str, Run] | None = None
) -> list[Run]:
    """See ``Journal.claim``.

    :param known: runs that need not be read, by id.
    """
    lane = "AND application = :application" if application is not None else ""
    # What the holder has itself is never free: he knows what he is doing, whatever the clock says.
    rows = db.execute(
        f"SELECT id FROM runs WHERE rowid IN (SELECT min(rowid) FROM runs WHERE state = 'accepted' AND due_at < {HELD}"
        f" {lane} GROUP BY application) AND {FREE} AND leased_by IS NOT :holder AND {_DUE}"
        " AND application NOT IN (SELECT application FROM pauses) ORDER BY rowid",
        {"application": application, "now": time.time(), "holder": lease.holder, "horizon": lease.horizon},
    ).fetchall()
    ids = [row[0] for row in rows]
    for run in ids:
        db.execute("UPDATE runs SET leased_by = ?, leased_until = ? WHERE id = ?", (lease.holder, until(lease), run))
    known = known or {}
    read = {run.id: run for run in with_ids(db, [run for run in ids if run not in known])}
    return [known[run] if run in known else read[run] for run in ids]


def heartbeat(db: sqlite3.Connection, lease: Lease) -> None:
    """See ``Journal.heartbeat``."""
    db.execute(
        "UPDATE runs SET leased_until = ? WHERE leased_by = ? AND state = 'accepted'", (until(lease), lease.holder)
    )


def held(db: sqlite3.Connection, lease: Lease) -> list[str]:
    """See ``Journal.held``."""
    rows = db.execute("SELECT id FROM runs WHERE state = 'accepted' AND leased_by = ?", (lease.holder,))
    return [row[0] for row in rows]


def release(db: sqlite3.Connection, lease: Lease, runs: Collection[str]) -> None:
    """See ``Journal.release``."""
    for run in runs:
        db.execute("UPDATE runs SET leased_by = NULL WHERE id = ? AND leased_by = ?", (run, lease.holder))


def until(lease: Lease) -> float:
    """When a lease that is given now ends."""
    return time.time() + min(lease.seconds, LONGEST)


def fail(db: sqlite3.Connection, run: str, detail: str, wait: float) -> Run:
    """See ``Journal.fail``."""
    now = time.time()
    db.execute(
        "UPDATE runs SET attempts = attempts + 1, detail = ?, due_at = ?, updated_at = ?, leased_by = NULL"
        " WHERE id = ? AND state = 'accepted'",
        (text(detail), now + wait, now, run),
    )
    for newer, version in db.execute(
        "SELECT newer.id, newer.title FROM runs JOIN runs newer ON newer.application = runs.application"
        " AND newer.trigger_name = runs.trigger_name AND newer.rowid > runs.rowid AND newer.state = 'accepted'"
        " AND newer.version IS NOT NULL AND newer.event_key <> runs.event_key"
        " WHERE runs.id = ? AND runs.state = 'accepted' AND runs.version IS NOT NULL ORDER BY newer.rowid DESC LIMIT 1",
        (run,),
    ).fetchall():
        _give_way(db, run, newer, version, False)
    return with_ids(db, [run])[0]


def hold(db: sqlite3.Connection, run: str, detail: str) -> None:
    """See ``Journal.hold``."""
    db.execute(
        "UPDATE runs SET due_at = ?, detail = ?, leased_by = NULL WHERE id = ? AND state = 'accepted'",
        (HELD, text(detail), run),
    )


def superseded_by(db: sqlite3.Connection, run: str, untold: bool, holder: str = "") -> list[Run]:
    """End the runs that wait for other versions, now that ``run`` is there.

    :param holder: what this one is at work on does not wait, whatever the clock says.
    """
    rows = db.execute(
        "SELECT runs.id, newer.title FROM runs JOIN runs newer ON newer.id = :run AND newer.version IS NOT NULL"
        " WHERE runs.state = 'accepted' AND runs.application = newer.application AND"
        " runs.trigger_name = newer.trigger_name AND runs.rowid < newer.rowid AND runs.version IS NOT NULL"
        f" AND runs.event_key <> newer.event_key AND {FREE} AND runs.leased_by IS NOT :holder",
        {"run": run, "now": time.time(), "holder": holder},
    ).fetchall()
    for old, version in rows:
        _give_way(db, old, run, version, untold)
    return with_ids(db, [row[0] for row in rows])


def text(detail: str) -> str:
    """A sentence that can be kept: half a character, as in names of files that are not UTF-8, cannot."""
    return detail.encode("utf-8", "replace").decode("utf-8")


def begin(db: sqlite3.Connection) -> None:
    """The server starts: nobody holds anything, and what was held back is tried again."""
    db.execute("UPDATE runs SET leased_by = NULL WHERE leased_by IS NOT NULL AND state = 'accepted'")
    db.execute(f"UPDATE runs SET due_at = 0 WHERE due_at >= {HELD} AND state = 'accepted'")


def _give_way(db: sqlite3.Connection, run: str, newer: str, version: str, untold: bool) -> None:
    db.execute(
        "UPDATE runs SET state = 'superseded', detail = ?, updated_at = ?, untold = ? WHERE id = ?",
        (f"{version} was accepted before its turn came (run {newer})", time.time(), untold, run),
    )
