"""The output of ``bin/deploy``: into the log as it comes, up to a limit, and its end kept for the result."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress

MAX_LOG_BYTES = 1024 * 1024
MAX_TAIL_BYTES = 8 * 1024
MAX_TAIL_LINES = 50

_CHUNK = 64 * 1024
_CUT = b"\n[the log is limited in size and ends here; the script goes on]\n"


class Log:
    """A file that takes a limited number of bytes, and says so when it takes no more.

    :param handle: the file, which is closed here; None when there is none, because the volume cannot be written.
    """

    def __init__(self, handle: int | None, limit: int = MAX_LOG_BYTES) -> None:
        self._handle = handle
        self._left = limit

    def write(self, chunk: bytes) -> None:
        if self._handle is None:
            return
        part = chunk[: self._left]
        self._left -= len(part)
        try:
            _write_all(self._handle, part)
            if len(part) < len(chunk):
                _write_all(self._handle, _CUT)
                self.close()
        except OSError:  # The disk is full: a deploy matters more than its log.
            self.close()

    def close(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


class Output:
    """A pipe whose reading end is always drained, so that a script never waits because of us."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._tail = b""
        self._finished = False
        self._reader, self.writer = os.pipe()
        os.set_blocking(self._reader, False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._reader, self._read)

    def handed_over(self) -> None:
        """The script has its own copy of the writing end now, or never will."""
        os.close(self.writer)

    def finish(self) -> str:
        """The last lines; the script has ended.

        What it left in the background may still hold the pipe. That is drained for as long as the listener
        lives, lest a closed pipe end the process, but it is neither waited for nor kept.
        """
        for _ in range(MAX_LOG_BYTES // _CHUNK):
            if not self._read():
                break
        self._finished = True
        self._log.close()
        return last_lines(self._tail)

    def close(self) -> None:
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
            self._log.write(chunk)
            self._tail = (self._tail + chunk)[-MAX_TAIL_BYTES:]
        return bool(chunk)


def last_lines(tail: bytes) -> str:
    """The end of an output as text: whole lines where there are any, and not too many."""
    if len(tail) == MAX_TAIL_BYTES and b"\n" in tail[:-1]:
        tail = tail[tail.index(b"\n") + 1 :]
    lines = tail.decode("utf-8", "replace").rstrip("\n").split("\n")
    return "\n".join(lines[-MAX_TAIL_LINES:])


def _write_all(handle: int, chunk: bytes) -> None:
    while chunk:
        chunk = chunk[os.write(handle, chunk) :]
