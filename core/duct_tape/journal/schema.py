"""The tables of the SQLite engine, and how a connection is made."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from duct_tape.errors import StartupError

_FIRST = """
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY,
    instance TEXT NOT NULL,
    delivery TEXT NOT NULL,
    received_at REAL NOT NULL,
    event TEXT NOT NULL,
    action TEXT NOT NULL,
    repository TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('accepted', 'ignored')),
    reason TEXT NOT NULL,
    content TEXT NOT NULL,
    UNIQUE (instance, delivery)
) STRICT;
CREATE INDEX deliveries_state ON deliveries (state, id);
CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    delivery INTEGER NOT NULL REFERENCES deliveries (id),
    instance TEXT NOT NULL,
    application TEXT NOT NULL,
    trigger_name TEXT NOT NULL,
    event_key TEXT NOT NULL,
    version TEXT,
    title TEXT NOT NULL,
    vars TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    detail TEXT NOT NULL DEFAULT '',
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL
) STRICT;
CREATE INDEX runs_key ON runs (instance, event_key);
CREATE INDEX runs_delivery ON runs (delivery);
CREATE INDEX runs_application ON runs (application, trigger_name, version);
CREATE INDEX runs_state ON runs (state, id);
"""
# What the listener said of a run's deploy, as JSON.
_RESULTS = "ALTER TABLE runs ADD COLUMN result TEXT;"
# The queue: who is at work, when a run's time comes, and how much waits. Counting a million rows takes too long for
# every delivery, so triggers keep the totals, in the transaction that changes them.
_QUEUE = """
ALTER TABLE runs ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN due_at REAL NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN leased_by TEXT;
ALTER TABLE runs ADD COLUMN leased_until REAL NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN untold INTEGER NOT NULL DEFAULT 0;
UPDATE runs SET bytes = (SELECT length(content) FROM deliveries WHERE deliveries.id = runs.delivery);
DROP INDEX runs_state;
CREATE INDEX runs_state ON runs (state);
CREATE INDEX runs_lane ON runs (application) WHERE state = 'accepted';
CREATE INDEX runs_history ON runs (application);
CREATE INDEX runs_outcome ON runs (application, state);
CREATE INDEX runs_untold ON runs (untold) WHERE untold;
CREATE INDEX deliveries_delivery ON deliveries (delivery);
CREATE TABLE totals (state TEXT PRIMARY KEY, runs INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
INSERT INTO totals SELECT state, count(*), sum(bytes) FROM runs GROUP BY state;
CREATE TRIGGER runs_added AFTER INSERT ON runs BEGIN
    INSERT INTO totals VALUES (NEW.state, 1, NEW.bytes)
        ON CONFLICT (state) DO UPDATE SET runs = runs + 1, bytes = bytes + NEW.bytes;
END;
CREATE TRIGGER runs_removed AFTER DELETE ON runs BEGIN
    UPDATE totals SET runs = runs - 1, bytes = bytes - OLD.bytes WHERE state = OLD.state;
END;
CREATE TRIGGER runs_changed AFTER UPDATE OF state ON runs WHEN OLD.state <> NEW.state BEGIN
    UPDATE totals SET runs = runs - 1, bytes = bytes - OLD.bytes WHERE state = OLD.state;
    INSERT INTO totals VALUES (NEW.state, 1, NEW.bytes)
        ON CONFLICT (state) DO UPDATE SET runs = runs + 1, bytes = bytes + NEW.bytes;
END;
CREATE TABLE pauses (
    application TEXT PRIMARY KEY,
    who TEXT NOT NULL,
    reason TEXT NOT NULL,
    since REAL NOT NULL
) STRICT;
"""

# One entry takes a journal of the format before it to the next; an empty file has format 0.
MIGRATIONS = (_FIRST, _RESULTS, _QUEUE)
FORMAT = len(MIGRATIONS)


BACKUP = "let `path` under [journal] name another file, or put a backup in its place"


def connect_reader(path: Path) -> sqlite3.Connection:
    """A second connection to a journal that is there, which cannot change it.

    :raises sqlite3.Error: the file cannot be opened.
    """
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, isolation_level=None, timeout=5)
    connection.execute("PRAGMA query_only = ON")
    return connection


def opened_anew(path: Path) -> sqlite3.Connection:
    """The server's connection, after a start or a fault: everything is in the database file, and the log is empty.

    A sync that fails may have dropped what it was to write, for good, and the next one succeeds all the same. What the
    log seems to hold is then not on disk, and hides all that is written behind it from whoever reads it after a power
    failure. So nothing is ever written behind it.

    :raises StartupError: see ``connect``, or the log cannot be taken in.
    """
    connection = connect(path)
    try:
        if connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            raise sqlite3.OperationalError("another program reads it for too long")
    except sqlite3.Error as error:
        connection.close()
        raise StartupError(f"the journal {path} cannot be opened: {error}") from None
    return connection


def connect(path: Path) -> sqlite3.Connection:
    """A connection that loses nothing that was committed, also not when the power fails.

    :raises StartupError: the file cannot be opened, was written by a newer Duct Tape, or the file system
        does not offer what durability needs.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _create(path)
        connection = sqlite3.connect(path, isolation_level=None, timeout=5, check_same_thread=True)
        try:
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
    except OSError as error:
        raise StartupError(f"the journal {path} cannot be opened: {error.strerror}{advice(error)}") from None
    except sqlite3.Error as error:
        raise StartupError(f"the journal {path} cannot be opened: {error}{advice(error)}") from None
    return connection


def _create(path: Path) -> None:
    """Make the file, if there is none."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    # One that is there is not opened, not even for a moment: whoever closes any handle of a file loses all locks that
    # his process has on it (POSIX), also those of SQLite's other connection. The next process to leave then takes
    # itself for the last one, and deletes the write-ahead log under us.
    with suppress(FileExistsError):
        # Payloads may hold personal data: nobody but the server's user reads the journal.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def advice(error: Exception) -> str:
    """What to do about an error of SQLite's or of the file system's, as the end of a sentence."""
    if isinstance(error, PermissionError):
        return "; the server's user needs the right to write the file and its folder"
    if isinstance(error, IsADirectoryError | NotADirectoryError):
        return "; let `path` under [journal] name a file"
    if "not a database" in str(error) or "malformed" in str(error):
        return f"; {BACKUP}"
    return ""


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    # Set and read back: some builds of SQLite have another default for WAL (reliability: NORMAL loses the
    # last commits when the power fails).
    connection.execute("PRAGMA synchronous = FULL")
    synchronous = connection.execute("PRAGMA synchronous").fetchone()[0]
    if mode != "wal" or synchronous != 2:
        raise StartupError(
            f"the journal {path} cannot be kept durable there (journal mode {mode}, synchronous {synchronous}): "
            "put it on a local file system"
        )
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_size_limit = 16777216")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > FORMAT:
        raise StartupError(f"the journal {path} was written by a newer Duct Tape (format {version}): upgrade")
    for number, migration in enumerate(MIGRATIONS[version:], version + 1):
        _migrate(connection, number, migration)


def _migrate(connection: sqlite3.Connection, number: int, migration: str) -> None:
    try:
        connection.executescript(f"BEGIN IMMEDIATE;{migration}PRAGMA user_version = {number};COMMIT;")
    except sqlite3.OperationalError:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        # Another process, that began at the same time, may have done it.
        if connection.execute("PRAGMA user_version").fetchone()[0] < number:
            raise
