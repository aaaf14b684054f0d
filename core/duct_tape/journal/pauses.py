"""Pauses: applications whose runs wait for an operator."""

from __future__ import annotations

import sqlite3

from duct_tape.journal import Pause

_COLUMNS = "application, who, reason, since"


def pause(db: sqlite3.Connection, pause: Pause) -> None:
    """See ``Journal.pause``."""
    db.execute(
        f"INSERT OR REPLACE INTO pauses ({_COLUMNS}) VALUES (?, ?, ?, ?)",
        (pause.application, pause.who, pause.reason, pause.since),
    )


def resume(db: sqlite3.Connection, application: str) -> Pause | None:
    """See ``Journal.resume``."""
    row = db.execute(f"DELETE FROM pauses WHERE application = ? RETURNING {_COLUMNS}", (application,)).fetchone()
    return Pause(application=row[0], who=row[1], reason=row[2], since=row[3]) if row else None


def pauses(db: sqlite3.Connection) -> list[Pause]:
    """See ``Journal.pauses``."""
    rows = db.execute(f"SELECT {_COLUMNS} FROM pauses ORDER BY application").fetchall()
    return [Pause(application=row[0], who=row[1], reason=row[2], since=row[3]) for row in rows]
