"""One thread that owns the connection, with group commit.

Every piece of work that waits while a commit is on its way to the disk shares the next one. So durability
costs under a millisecond when idle and nearly nothing under load.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from duct_tape.errors import DuctTapeError, JournalError

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], Any]
_Answer = tuple[Any, Exception | None]
# Nobody waits for what has no future.
_Item = tuple[Work, asyncio.Future[Any] | None]

MAX_BATCH = 100

# These concern one piece of work and leave the transaction as it was: text that is not Unicode, for instance.
_OWN_FAULT = (
    sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError, sqlite3.InterfaceError, ValueError, TypeError,
)  # fmt: skip


class Writer:
    """Runs work on one connection, in order, in transactions.

    :param connect: makes the connection; it is called in the writer's own thread.
    :param check: called before each commit; raises ``JournalError`` where what is committed would be lost.
    :param note: is told of each error by which work failed.
    """

    def __init__(
        self,
        connect: Callable[[], sqlite3.Connection],
        check: Callable[[], None] = lambda: None,
        note: Callable[[Exception], None] = lambda error: None,
    ) -> None:
        self._connect = connect
        self._check = check
        self._note = note
        self._queue: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        self._first: Work | None = None
        self._failure: BaseException | None = None
        self._closed = False
        self._opened = threading.Event()
        self._thread = threading.Thread(target=self._main, name="journal", daemon=True)

    def start(self, first: Work | None = None) -> None:
        """Open the connection; whatever ``connect`` raises is raised here.

        :param first: done at once, in a transaction of its own.
        """
        self._first = first
        self._thread.start()
        self._opened.wait()
        if self._failure is not None:
            raise self._failure

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """The work's result, once it is committed.

        :raises JournalError: it could not be carried out or committed; then nothing of it is on disk.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._put((work, future))
        return await future

    def post(self, work: Work) -> None:
        """Do the work at some time; nobody waits and nobody is told."""
        if self._queue.qsize() < MAX_BATCH:
            self._put((work, None))

    async def close(self) -> None:
        """Finish what is queued and close the connection."""
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _put(self, item: _Item) -> None:
        self._queue.put(item)
        if self._closed:
            self._refuse_waiting()

    def _refuse_waiting(self) -> None:
        with suppress(queue.Empty):
            while True:
                if item := self._queue.get_nowait():
                    _tell([item[1]], [(None, JournalError("the journal is closed"))])

    def _main(self) -> None:
        try:
            self._open()
        except BaseException as error:
            self._failure = error
            return
        finally:
            self._opened.set()
        while batch := self._batch():
            self._carry_out([item for item in batch if item is not None])
            if batch[-1] is None:
                break
        self._disconnect()
        # In this order: what is put in after this line is refused by whoever puts it in.
        self._closed = True
        self._refuse_waiting()

    def _batch(self) -> list[_Item | None]:
        batch = [self._queue.get()]
        while batch[-1] is not None and len(batch) < MAX_BATCH:
            try:
                batch.append(self._queue.get_nowait())
            except queue.Empty:
                break
        return batch

    def _open(self) -> sqlite3.Connection:
        self._connection = self._connect()
        if self._first is not None:
            _transaction(self._connection, [self._first], lambda: None)
            self._first = None
        return self._connection

    def _carry_out(self, batch: list[_Item]) -> None:
        try:
            answers = self._committed([work for work, _ in batch])
        except (sqlite3.Error, DuctTapeError) as error:
            self._note(error)
            known = isinstance(error, JournalError)
            failure = error if known else JournalError(f"the journal cannot be written: {error}")
            answers = [(None, failure)] * len(batch)
        _tell([future for _, future in batch], answers)

    def _committed(self, batch: list[Work]) -> list[_Answer]:
        connection = self._connection or self._open()
        try:
            return _transaction(connection, batch, self._check)
        except (sqlite3.Error, JournalError):
            # Nobody knows what this connection and the kernel still believe after an I/O error (a failed fsync is told
            # once, and the next one succeeds): the next batch opens the journal anew, which reads what is on disk.
            self._disconnect()
            raise

    def _disconnect(self) -> None:
        if self._connection is not None:
            # The thread must outlive a broken disk.
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None


def _tell(futures: Sequence[asyncio.Future[Any] | None], answers: Sequence[_Answer]) -> None:
    """Settle the futures, all of one loop at once: each call into a loop wakes it."""
    waiting = [(future, answer) for future, answer in zip(futures, answers, strict=True) if future is not None]
    for loop in {future.get_loop() for future, _ in waiting}:
        of_loop = [(future, answer) for future, answer in waiting if future.get_loop() is loop]
        # The loop is gone only when the process ends without waiting for its journal.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_settle, of_loop)


def _settle(settled: Sequence[tuple[asyncio.Future[Any], _Answer]]) -> None:
    for future, (result, error) in settled:
        if future.cancelled():
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)


def _transaction(connection: sqlite3.Connection, batch: list[Work], check: Callable[[], None]) -> list[_Answer]:
    try:
        # Without savepoints: each costs as much as the work itself, and hardly any work fails by its own fault.
        return _in_transaction(connection, lambda: [(work(connection), None) for work in batch], check)
    except Exception as error:
        if isinstance(error, sqlite3.Error) and not isinstance(error, _OWN_FAULT):
            # A full disk or an I/O error may have ended the whole transaction: nobody of the batch is safe.
            raise
    # Once more from the start, and each on its own. Work does nothing but what it is given a connection for.
    return _in_transaction(connection, lambda: [_one(connection, work) for work in batch], check)


def _in_transaction(
    connection: sqlite3.Connection, work: Callable[[], list[_Answer]], check: Callable[[], None]
) -> list[_Answer]:
    try:
        connection.execute("BEGIN IMMEDIATE")
        answers = work()
        check()
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            _roll_back(connection)
        raise
    return answers


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _one(connection: sqlite3.Connection, work: Work) -> _Answer:
    """One piece of work inside the batch's transaction; its failure is its own."""
    connection.execute("SAVEPOINT work")
    try:
        result = work(connection)
    except _OWN_FAULT as error:
        connection.execute("ROLLBACK TO work")
        connection.execute("RELEASE work")
        return None, JournalError(f"the journal cannot hold this: {error}")
    except sqlite3.Error:
        raise
    except Exception as error:
        connection.execute("ROLLBACK TO work")
        connection.execute("RELEASE work")
        return None, error
    connection.execute("RELEASE work")
    return result, None
