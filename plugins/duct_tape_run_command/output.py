"""The output of commands: always read, so that none waits because of us, and its end kept."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress

MAX_BYTES = 8 * 1024
MAX_LINES = 50
_CHUNK = 64 * 1024
# What a command that has ended left in the pipe is never more than the pipe can hold.
_LEFT = 1024 * 1024


class Output:
    """A pipe, of whose content only the end is kept."""

    def __init__(self) -> None:
        self._tail = b""
        self._finished = False
        self._reader, self.writer = os.pipe()
        os.set_blocking(self._reader, False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._reader, self._read)

    @property
    def closed(self) -> bool:
        """Whether nobody can write into it any more."""
        return self._reader < 0

    def handed_over(self) -> None:
        """The command has its own copy of the writing end now, or never will."""
        os.close(self.writer)

    def finish(self) -> str:
        """The last lines; the command has ended.

        What it left in the background may still hold the pipe. That goes on being read, lest a closed pipe end it.
        """
        for _ in range(_LEFT // _CHUNK):
            if not self._read():
                break
        self._finished = True
        return last_lines(self._tail)

    def close(self) -> None:
        """Read no more."""
        if self._reader >= 0:
            self._loop.remove_reader(self._reader)
            os.close(self._reader)
            self._reader = -1

    def _read(self) -> bool:
        """Take what is there; False when there is nothing, or nothing more."""
        chunk = b""
        with suppress(BlockingIOError):
            if self._reader >= 0:
                chunk = os.read(self._reader, _CHUNK)
                if not chunk:
                    self.close()
        if chunk and not self._finished:
            self._tail = (self._tail + chunk)[-MAX_BYTES:]
        return bool(chunk)


def last_lines(tail: bytes) -> str:
    """The end of an output as text: whole lines where there are any, and not too many."""
    if len(tail) == MAX_BYTES and b"\n" in tail[:-1]:
        tail = tail[tail.index(b"\n") + 1 :]
    lines = tail.decode("utf-8", "replace").rstrip("\n").split("\n")
    return "\n".join(lines[-MAX_LINES:])
