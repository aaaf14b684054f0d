"""Hints: wake the listener when something may have happened in the volume.

What happened is not looked at. A hint that gets lost (NFS, an overflow, a volume made anew) costs a moment and never
a deploy, since the folder is looked at every second anyway.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)

MOST_READS = 16


class Hints:
    """Watches one folder, where the system can do that, and calls ``wake`` for anything that appears in it."""

    def __init__(self, path: Path, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._handle: int | None = None
        try:
            self._watch(path)
        except (ImportError, OSError, AttributeError) as error:
            log.info("no events from %s (%s): it is looked at every second instead", path, error)

    def close(self) -> None:
        if self._handle is not None:
            self._loop.remove_reader(self._handle)
            self._inotify.close()
            self._handle = None

    def _watch(self, path: Path) -> None:
        from asyncinotify import Inotify, Mask  # Linux only, and not needed for `--once`.

        self._inotify = Inotify()
        # Not CREATE: a file that was only just made has no content yet.
        self._inotify.add_watch(path, Mask.CLOSE_WRITE | Mask.MOVED_TO | Mask.DELETE_SELF | Mask.MOVE_SELF)
        self._handle = self._inotify.fd
        # The library leaves it blocking; `_drain` would then stop the whole listener in its second read.
        os.set_blocking(self._handle, False)
        self._loop.add_reader(self._handle, self._drain, self._handle)

    def _drain(self, handle: int) -> None:
        with suppress(BlockingIOError):
            # No more than that: whoever makes events faster than they are read must not keep us from looking.
            for _ in range(MOST_READS):
                os.read(handle, 64 * 1024)
        self._wake()
