"""A connection is durable, private, and refuses what it cannot keep."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from duct_tape.errors import StartupError
from duct_tape.journal import schema
from duct_tape.journal.schema import connect


def pragma(db: sqlite3.Connection, name: str) -> Any:
    return db.execute(f"PRAGMA {name}").fetchone()[0]


def test_what_durability_needs_is_set(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "new" / "folder" / "j.sqlite3")) as db:
        assert [pragma(db, name) for name in ("journal_mode", "synchronous", "foreign_keys")] == ["wal", 2, 1]
        assert pragma(db, "user_version") == schema.FORMAT


def test_nobody_else_reads_the_files(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with closing(connect(tmp_path / "j.sqlite3")) as db:
            db.execute("CREATE TABLE t (x)")
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert modes == {"j.sqlite3": 0o600, "j.sqlite3-wal": 0o600, "j.sqlite3-shm": 0o600}


def test_what_is_there_stays_there(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite3"
    with closing(connect(path)) as db:
        db.execute("CREATE TABLE mine (x)")
    with closing(connect(path)) as db:
        assert db.execute("SELECT count(*) FROM mine").fetchone() == (0,)


def test_a_journal_of_an_older_format_is_taken_along(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript(f"{schema.MIGRATIONS[0]} PRAGMA user_version = 1;")
        db.execute(
            "INSERT INTO deliveries VALUES (1, 'github', 'd', 1.0, 'release', 'published', 'a/b', 'accepted', '', '{}')"
        )
        db.execute(
            "INSERT INTO runs VALUES ('r', 1, 'github', 'app', 'deploy', 'k', NULL, 'v1', '{}', 'flagged', 1, '', 1, 1)"
        )
    with closing(connect(path)) as db:
        assert db.execute("SELECT id, state, result FROM runs").fetchall() == [("r", "flagged", None)]
        assert db.execute("PRAGMA user_version").fetchone() == (schema.FORMAT,)


def test_two_processes_may_take_a_journal_along_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "j.sqlite3"
    original, others = schema._migrate, list[sqlite3.Connection]()

    def overtaken(connection: sqlite3.Connection, number: int, migration: str) -> None:
        if not others:
            others.append(connection)
            others.append(connect(path))
        original(connection, number, migration)

    monkeypatch.setattr(schema, "_migrate", overtaken)
    with closing(connect(path)) as db:
        others[1].close()
        assert pragma(db, "user_version") == schema.FORMAT
        assert not db.in_transaction


def test_a_migration_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "MIGRATIONS", ("CREATE TABLE x (y); DROP TABLE z;",))
    with pytest.raises(StartupError, match="no such table: z"):
        connect(tmp_path / "j.sqlite3")


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite3"
    with closing(connect(path)) as db:
        db.execute(f"PRAGMA user_version = {schema.FORMAT + 1}")
    with pytest.raises(
        StartupError, match=rf"was written by a newer Duct Tape \(format {schema.FORMAT + 1}\): upgrade$"
    ):
        connect(path)


def test_what_is_not_a_journal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite3"
    path.write_bytes(b"not a database, but long enough to have a header of a hundred bytes" * 10)
    with pytest.raises(StartupError, match="cannot be opened: file is not a database; let `path` under"):
        connect(path)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="cannot be opened: Is a directory; let `path` under"):
        connect(tmp_path)


def test_a_parent_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartupError, match="cannot be opened: "):
        connect(tmp_path / "file" / "j.sqlite3")


def test_a_file_system_without_wal_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class NoWAL(sqlite3.Connection):
        def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
            return super().execute(sql.replace("journal_mode = WAL", "journal_mode"), *arguments)

    original = sqlite3.connect
    monkeypatch.setattr("sqlite3.connect", lambda path, **options: original(path, factory=NoWAL, **options))
    with pytest.raises(StartupError, match=r"durable there \(journal mode delete, synchronous 2\): put it on a local"):
        connect(tmp_path / "j.sqlite3")


def test_no_other_code_opens_a_database() -> None:
    core = Path(schema.__file__).parents[1]
    users = [path.relative_to(core) for path in core.rglob("*.py") if "sqlite3.connect(" in path.read_text("utf-8")]
    assert users == [Path("journal/schema.py")]


def test_the_servers_connection_begins_with_an_empty_log(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite3"
    with closing(connect(path)) as other:
        other.execute("CREATE TABLE mine (x)")
        assert (tmp_path / "j.sqlite3-wal").stat().st_size > 0
        with closing(schema.opened_anew(path)) as db:
            assert (tmp_path / "j.sqlite3-wal").stat().st_size == 0
            assert db.execute("SELECT count(*) FROM mine").fetchone() == (0,)


def test_a_log_that_cannot_be_taken_in_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "j.sqlite3"
    original = sqlite3.connect
    monkeypatch.setattr("sqlite3.connect", lambda path, **options: original(path, **{**options, "timeout": 0.01}))
    with closing(connect(path)) as other:
        other.execute("CREATE TABLE mine (x)")
        other.execute("BEGIN")
        other.execute("SELECT * FROM mine").fetchall()
        with closing(connect(path)) as writing:
            writing.execute("INSERT INTO mine VALUES (1)")
        with pytest.raises(StartupError, match="cannot be opened: another program reads it"):
            schema.opened_anew(path)
