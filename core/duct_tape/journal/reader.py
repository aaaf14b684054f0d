"""One thread with a connection of its own that only reads.

SQLite's write-ahead log lets readers and the writer go on beside each other, so nobody who asks for the history holds
up a delivery. Each question is short: a long one would keep the log from being taken in.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from duct_tape.errors import JournalError
from duct_tape.journal.presence import Presence

T = TypeVar("T")


class Reader:
    """Answers questions, one after the other.

    :param connect: makes the connection; it is called in the reader's own thread, for the first question.
    :param presence: tells where the file is not the journal any more, and when the writer opened it anew.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection], presence: Presence) -> None:
        self._connect = connect
        self._presence = presence
        self._generation = 0
        self._connection: sqlite3.Connection | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal-reader")

    async def run(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """The question's answer, as of now: everything that was committed before is seen.

        :raises JournalError: it cannot be answered.
        """
        try:
            future = asyncio.get_running_loop().run_in_executor(self._thread, self._answer, question)
        except RuntimeError:
            raise JournalError("the journal is closed") from None
        return await future

    async def close(self) -> None:
        """Answer what was asked and close the connection."""
        with suppress(RuntimeError):
            self._thread.submit(self._disconnect)
        await asyncio.to_thread(self._thread.shutdown)

    def _answer(self, question: Callable[[sqlite3.Connection], T]) -> T:
        self._presence.check_file()
        if self._generation != self._presence.generation:
            # The writer has another log now, perhaps: this one must not read on in the old one.
            self._disconnect()
        try:
            if self._connection is None:
                self._generation = self._presence.generation
                self._connection = self._connect()
            return question(self._connection)
        except (sqlite3.Error, ValueError) as error:
            self._presence.note(error)
            # After an I/O error nobody knows what a connection still believes.
            self._disconnect()
            raise JournalError(f"the journal cannot be read: {error}") from error

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
