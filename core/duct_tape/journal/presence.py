"""Whether the files of the journal are still those that its connections have open, and sound.

A file that was deleted or replaced takes writes all the same, and SQLite says no word. They would be lost.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from duct_tape.errors import JournalError
from duct_tape.journal.schema import BACKUP

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Presence:
    """Knows the journal's file, and the write-ahead log of the latest connection that writes.

    :param path: the database file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._log: int | None = None
        self._damage = ""
        self.generation = 0

    def begin(self) -> None:
        """A connection that writes is made: the log that it opens is the right one."""
        self._log = None
        self.generation += 1

    def check(self) -> None:
        """Call while a transaction is open.

        :raises JournalError: one of the files was taken away or replaced.
        """
        self.check_file()
        log = _inode(f"{self._path}-wal")
        self._log = log if self._log is None else self._log
        if log < 0 or log != self._log:
            raise JournalError(f"the log {self._path}-wal was taken away or replaced")

    def check_file(self) -> None:
        """See ``check``, for the database file alone."""
        inode = _inode(self._path)
        self._file = inode if self._file is None else self._file
        if inode < 0 or inode != self._file:
            raise JournalError(f"the journal {self._path} was taken away or replaced: start the server again")

    def note(self, error: Exception) -> None:
        """Remember an error if it says that a part of the file is damaged; the others may still be sound."""
        # The lower byte of a code is its kind.
        if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
            self._damage = str(error)

    def check_sound(self) -> None:
        """See ``note``.

        :raises JournalError: the file is damaged.
        """
        if self._damage:
            raise JournalError(f"the journal {self._path} is damaged ({self._damage}); {BACKUP}")


def _inode(path: str | Path) -> int:
    try:
        return os.stat(path).st_ino
    except OSError:
        return -1
