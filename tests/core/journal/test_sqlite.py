"""The SQLite engine: one server for each file, and readers beside the writer."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.journal_support import accept, states

from duct_tape.api import RunState
from duct_tape.errors import JournalError, StartupError
from duct_tape.journal.sqlite import SQLiteJournal


def test_a_second_server_on_one_journal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "var" / "journal.sqlite3"

    async def main() -> None:
        journal = SQLiteJournal(path)
        with pytest.raises(StartupError, match=f"^another server already uses the journal {path}: stop it first$"):
            SQLiteJournal(path)
        await journal.close()

    asyncio.run(main())
    asyncio.run(main())


def test_a_journal_that_cannot_be_opened_lets_go_of_its_lock(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    path.mkdir()
    for _ in range(2):
        with pytest.raises(StartupError, match="Is a directory"):
            SQLiteJournal(path)
    (tmp_path / "file").touch()
    with pytest.raises(StartupError, match="cannot be opened"):
        SQLiteJournal(tmp_path / "file" / "journal.sqlite3")


def test_readers_do_not_wait_for_the_writer(tmp_path: Path) -> None:
    async def main() -> None:
        journal = SQLiteJournal(tmp_path / "j")
        await accept(journal, 1)
        inside, release = threading.Event(), threading.Event()

        def work(db: sqlite3.Connection) -> None:
            db.execute("UPDATE runs SET detail = 'not yet'")
            inside.set()
            release.wait(20)

        writing = asyncio.create_task(journal._writer.run(work))
        await asyncio.to_thread(inside.wait, 20)
        assert [run.detail for run in await journal.recent(9)] == [""]
        assert await journal.counts() == {"accepted": 1}
        release.set()
        await writing
        assert [run.detail for run in await journal.recent(9)] == ["not yet"]
        await journal.close()

    asyncio.run(main())


def test_a_reader_changes_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        journal = SQLiteJournal(tmp_path / "j")
        await accept(journal, 1)
        with pytest.raises(JournalError, match="cannot be read: attempt to write a readonly database"):
            await journal._reader.run(lambda db: db.execute("DELETE FROM runs"))
        assert await states(journal) == {"app-1": "accepted"}, "the next question gets a new connection"
        await journal.close()

    asyncio.run(main())


def test_a_journal_that_was_taken_away_is_neither_read_nor_written(tmp_path: Path) -> None:
    path = tmp_path / "j"

    async def main() -> None:
        journal = SQLiteJournal(path)
        path.rename(tmp_path / "elsewhere")
        for question in (journal.counts(), accept(journal, 1)):
            with pytest.raises(JournalError, match=re.escape(f"{path} was taken away or replaced")):
                await question
        await journal.close()
        for question in (journal.counts(), accept(journal, 1)):
            with pytest.raises(JournalError, match="the journal is closed"):
                await question

    asyncio.run(main())


def test_what_is_asked_for_costs_no_more_than_its_number(tmp_path: Path) -> None:
    """Counted in steps of SQLite's machine, which no busy computer changes."""
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    async def main() -> None:
        journal = SQLiteJournal(tmp_path / "j")
        costs = []
        for number in range(801):
            await accept(journal, number)
            await journal.finish(f"app-{number}", RunState.FAILED, "no")
            if number in (200, 800):
                await journal._reader.run(lambda db: db.set_progress_handler(count, 10))
                before = steps
                assert len(await journal.dead(1000)) == number + 1
                costs.append(steps - before)
        await journal.close()
        assert costs[1] < 8 * costs[0], "four times as many, and not sixteen times as much work"

    asyncio.run(main())


def broken(db: sqlite3.Connection) -> None:
    raise sqlite3.OperationalError("database or disk is full")


def read_by_another_process(path: Path) -> list[str]:
    """The ids of the runs; that process closes the journal, and would tidy up if it took itself for the last one."""
    code = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); print(*[r[0] for r in db.execute(sys.argv[2])])"
    command = [sys.executable, "-c", f"{code}; db.close()", str(path), "SELECT id FROM runs ORDER BY rowid"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.split()


def test_after_a_fault_no_other_process_takes_the_log_away(tmp_path: Path) -> None:
    path = tmp_path / "j"

    async def main() -> None:
        journal = SQLiteJournal(path)
        await accept(journal, 1)
        assert await journal.counts() == {"accepted": 1}
        with pytest.raises(JournalError, match="disk is full"):
            await journal._writer.run(broken)
        for number in (2, 3):
            await accept(journal, number)
            assert read_by_another_process(path) == [f"app-{one}" for one in range(1, number + 1)]
            assert (tmp_path / "j-wal").exists()
        await journal.close()

    asyncio.run(main())


def test_a_log_that_was_taken_away_is_told_and_made_anew(tmp_path: Path) -> None:
    async def main() -> None:
        journal = SQLiteJournal(tmp_path / "j")
        await accept(journal, 1)
        (tmp_path / "j-wal").unlink()
        with pytest.raises(JournalError, match=r"the log .*-wal was taken away or replaced$"):
            await accept(journal, 2)
        assert (await accept(journal, 3)).runs, "what is accepted now is in a file that is there"
        assert "app-3" in read_by_another_process(tmp_path / "j")
        assert "app-3" in await states(journal)
        await journal.close()

    asyncio.run(main())
