"""A clock that a test sets."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock


class FakeClock:
    """What ``time.time`` says while a server with this clock runs: nothing passes unless the test says so.

    Ages of runs, times of retries, signatures and everything else that asks ``time.time`` follow it. The event loop,
    ``time.monotonic`` and ``datetime.now`` go on as ever: in a plugin, ask ``time.time``.

    :param now: seconds since the epoch at the beginning.
    """

    def __init__(self, now: float = 1_767_323_045.0) -> None:
        self._now = now

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass; backwards with a negative number, as when somebody sets the clock."""
        self._now += seconds

    @contextmanager
    def running(self) -> Iterator[None]:
        """In place of the machine's clock, in this process."""
        with mock.patch.object(time, "time", self.now):
            yield
