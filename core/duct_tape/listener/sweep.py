"""Sweeping: going through a folder in portions, round after round, however much a stranger has put into it.

A listing of a million names takes memory and time. So the folder stays open between two portions, and the next one
goes on where the last one ended: what lies behind the stranger's million is reached, too.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

# So many names are read for one portion, wanted or not.
MOST_READ = 5000


class Sweep:
    """The place in one folder up to which its names were read.

    :param portion: so many names at a time.
    :param own: whether names that begin with a dot are left out.
    """

    def __init__(self, portion: int, *, own: bool = False) -> None:
        self._portion = portion
        self._own = own
        self._found: Iterator[os.DirEntry[str]] | None = None
        self._handle = -1
        self._close: Callable[[], None] = lambda: None

    @property
    def more(self) -> bool:
        """Whether this round has not come to its end."""
        return self._found is not None

    def close(self) -> None:
        """Begin anew with the next portion."""
        if self._found is not None:
            self._found = None
            self._close()
            os.close(self._handle)

    def take(self, folder: int) -> list[str]:
        """The next names in the folder; a new round begins when the last one has ended, or was in another folder."""
        found = self._going_on(folder)
        names: list[str] = []
        try:
            for _ in range(max(MOST_READ, self._portion)):
                item = next(found, None)
                if item is None:
                    self.close()
                    break
                if not (self._own and item.name[0] == "."):
                    names.append(item.name)
                if len(names) >= self._portion:
                    break
        except OSError:
            self.close()
            raise
        return names

    def _going_on(self, folder: int) -> Iterator[os.DirEntry[str]]:
        if self._found is not None and os.path.samestat(os.fstat(self._handle), os.fstat(folder)):
            return self._found
        self.close()
        # A handle of its own: where a listing has come to belongs to the handle, and others list by ``folder``.
        self._handle = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
        found = os.scandir(self._handle)
        self._found, self._close = found, found.close
        return found
