"""The writer: in order, in shared commits, and alive whatever the disk does."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NoReturn

import pytest

from duct_tape.errors import JournalError, StartupError
from duct_tape.journal.writer import MAX_BATCH, Writer

Run = Callable[[Callable[[Writer], Awaitable[None]]], None]


class Disk:
    """A file with a table, whose connections count commits and fail where they are told to."""

    error = "database or disk is full"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.commits = self.connections = 0
        self.fail = ""
        with closing(sqlite3.connect(path)) as db:
            db.execute("CREATE TABLE t (x INTEGER UNIQUE)")

    def connect(self) -> sqlite3.Connection:
        disk = self
        disk.connections += 1
        if "connect" in disk.fail:
            raise StartupError("no such disk")

        class Connection(sqlite3.Connection):
            def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
                if disk.fail and sql.startswith(tuple(disk.fail.split(","))):
                    raise sqlite3.OperationalError(disk.error)
                disk.commits += sql == "COMMIT"
                return super().execute(sql, *arguments)

        return sqlite3.connect(self.path, isolation_level=None, factory=Connection)


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path / "j")


@pytest.fixture
def writing(disk: Disk) -> Run:
    """Runs a function with a writer on the connection."""

    def run(function: Callable[[Writer], Awaitable[None]]) -> None:
        async def main() -> None:
            writer = Writer(disk.connect)
            writer.start()
            try:
                await function(writer)
            finally:
                await writer.close()

        asyncio.run(main())

    return run


def insert(number: int) -> Callable[[sqlite3.Connection], int]:
    def work(db: sqlite3.Connection) -> int:
        db.execute("INSERT INTO t VALUES (?)", (number,))
        return number

    return work


def rows(db: sqlite3.Connection) -> list[int]:
    return [row[0] for row in db.execute("SELECT x FROM t ORDER BY rowid")]


def test_work_is_done_in_order_and_its_result_returned(writing: Run) -> None:
    async def main(writer: Writer) -> None:
        assert await asyncio.gather(*(writer.run(insert(number)) for number in range(10))) == list(range(10))
        assert await writer.run(rows) == list(range(10))

    writing(main)


def held(writer: Writer) -> threading.Event:
    """Make the writer wait in a piece of work, so that what comes after it waits together."""
    release = threading.Event()
    inside = threading.Event()

    def work(db: sqlite3.Connection) -> None:
        inside.set()
        release.wait()

    writer.post(work)
    inside.wait()
    return release


def test_what_waits_together_shares_a_commit(writing: Run, disk: Disk) -> None:
    async def main(writer: Writer) -> None:
        release = held(writer)
        together = asyncio.gather(*(writer.run(insert(number)) for number in range(MAX_BATCH * 3)))
        await asyncio.sleep(0)
        release.set()
        await together
        assert disk.commits == 1 + 3

    writing(main)


def test_a_result_comes_after_its_commit(writing: Run, disk: Disk) -> None:
    async def main(writer: Writer) -> None:
        await writer.run(insert(1))
        assert disk.commits == 1

    writing(main)


def raises(db: sqlite3.Connection) -> NoReturn:
    insert(99)(db)
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("work", "error"),
    [
        (insert(1), JournalError),
        (lambda db: db.execute("INSERT INTO t VALUES (?)", (object(),)), JournalError),
        (lambda db: db.execute("INSERT INTO t VALUES (?)", ("\ud800",)), JournalError),
        (raises, ZeroDivisionError),
    ],
)
def test_what_is_wrong_with_one_piece_of_work_is_its_own(
    writing: Run, disk: Disk, work: Callable[[sqlite3.Connection], Any], error: type[Exception]
) -> None:
    async def main(writer: Writer) -> None:
        release = held(writer)
        together = asyncio.gather(*map(writer.run, (insert(1), work, insert(2))), return_exceptions=True)
        await asyncio.sleep(0)
        release.set()
        results = await together
        assert (results[0], results[2]) == (1, 2)
        assert isinstance(results[1], error)
        assert await writer.run(rows) == [1, 2]

    writing(main)


@pytest.mark.parametrize("fail", ["BEGIN", "COMMIT", "INSERT", "SAVEPOINT", "COMMIT,ROLLBACK"])
def test_a_disk_that_fails_fails_the_batch_and_the_next_one_works(writing: Run, disk: Disk, fail: str) -> None:
    async def main(writer: Writer) -> None:
        disk.fail = fail
        release = held(writer) if fail not in ("BEGIN", "SAVEPOINT") else threading.Event()
        # Savepoints are only made once a piece of work has failed by its own fault.
        second = raises if fail == "SAVEPOINT" else insert(2)
        together = asyncio.gather(*map(writer.run, (insert(1), second)), return_exceptions=True)
        await asyncio.sleep(0)
        release.set()
        for result in await together:
            assert isinstance(result, JournalError)
            assert str(result) == "the journal cannot be written: database or disk is full"
        disk.fail = "connect"
        with pytest.raises(JournalError, match="cannot be written: no such disk"):
            await writer.run(rows)
        disk.fail = ""
        assert await writer.run(rows) == []
        assert await writer.run(insert(3)) == 3
        assert disk.connections >= 3, "what the old connection believed is forgotten"

    writing(main)


def test_nobody_waits_for_what_is_posted_and_it_is_bounded(writing: Run) -> None:
    async def main(writer: Writer) -> None:
        release = held(writer)
        for number in range(MAX_BATCH * 2):
            writer.post(insert(number))
        release.set()
        assert await writer.run(rows) == list(range(MAX_BATCH))

    writing(main)


def test_who_stopped_waiting_is_not_told(writing: Run) -> None:
    async def main(writer: Writer) -> None:
        release = held(writer)
        task = asyncio.create_task(writer.run(insert(1)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        release.set()
        # What was handed over is done all the same.
        assert await writer.run(rows) == [1]

    writing(main)


def test_closing_finishes_what_waits_and_refuses_what_comes_later(writing: Run) -> None:
    async def main(writer: Writer) -> None:
        release = held(writer)
        early = asyncio.create_task(writer.run(insert(1)))
        await asyncio.sleep(0)
        closing = asyncio.create_task(writer.close())
        await asyncio.sleep(0)
        behind = asyncio.create_task(writer.run(rows))
        await asyncio.sleep(0)
        release.set()
        assert await early == 1
        await closing
        for late in (behind, writer.run(rows)):
            with pytest.raises(JournalError, match="the journal is closed"):
                await late
        writer.post(insert(2))

    writing(main)


def test_an_end_without_waiting_disturbs_nobody(disk: Disk) -> None:
    writer = Writer(disk.connect)
    writer.start()
    released: list[threading.Event] = []

    async def main() -> None:
        released.append(held(writer))
        task = asyncio.create_task(writer.run(rows))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(main())
    released[0].set()
    asyncio.run(writer.close())


def test_what_connecting_raises_is_raised_at_the_start() -> None:
    def connect() -> NoReturn:
        raise JournalError("no such disk")

    with pytest.raises(JournalError, match="no such disk"):
        Writer(connect).start()


def test_what_comes_first_is_done_once_however_often_the_journal_is_opened(disk: Disk) -> None:
    async def main() -> None:
        writer = Writer(disk.connect)
        writer.start(insert(1))
        disk.fail = "BEGIN"
        with pytest.raises(JournalError):
            await writer.run(rows)
        disk.fail = ""
        assert await writer.run(rows) == [1]
        assert disk.connections == 2
        await writer.close()

    asyncio.run(main())
