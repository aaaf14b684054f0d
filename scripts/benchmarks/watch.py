"""What a server costs while it works: when its flags appear, how much memory its processes take, and which CPU."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from asyncinotify import Inotify, Mask
from attrs import define, field

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
INTERVAL = 0.05


@define
class Flags:
    """The files that appear in a folder, and when."""

    folder: Path
    seen: dict[str, float] = field(factory=dict)
    _fresh: asyncio.Event = field(factory=asyncio.Event)

    async def watch(self) -> None:
        """Until cancelled."""
        with Inotify() as inotify:
            # A plain write ends with CLOSE_WRITE, an atomic one with MOVED_TO, and `touch` of a new file does both.
            inotify.add_watch(self.folder, Mask.MOVED_TO | Mask.CREATE)
            self._fresh.set()
            async for event in inotify:
                name = str(event.name)
                if not name.startswith("."):
                    self.seen.setdefault(name, time.monotonic())

    async def ready(self) -> None:
        await self._fresh.wait()


@define
class Usage:
    """Of a process and all its children.

    :param peak: megabytes of all together at their most; pages that several share count once for each.
    :param cpu: seconds, of ended children as well.
    """

    pid: int
    peak: float = 0.0
    _first: float = 0.0
    _end: threading.Event = field(factory=threading.Event)

    @property
    def cpu(self) -> float:
        return cpu(self.pid) - self._first

    @contextlib.contextmanager
    def sampled(self) -> Iterator[None]:
        """Look again and again while something goes on."""
        self._first, self.peak = cpu(self.pid), 0.0
        self._end.clear()
        thread = threading.Thread(target=self._sample)
        thread.start()
        try:
            yield
        finally:
            self._end.set()
            thread.join()

    def _sample(self) -> None:
        while True:
            self.peak = max(self.peak, resident(self.pid))
            if self._end.wait(INTERVAL):
                return


def children(pid: int) -> list[int]:
    """A process and everything that descends from it."""
    found = [pid]
    for parent in found:
        with contextlib.suppress(OSError, ValueError):
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def resident(pid: int) -> float:
    """Megabytes in memory of a process and its children."""
    pages = 0
    for one in children(pid):
        with contextlib.suppress(OSError, IndexError):
            pages += int(Path(f"/proc/{one}/statm").read_text().split()[1])
    return pages * PAGE / 2**20


def cpu(pid: int) -> float:
    """Seconds of a process, of the children that it has waited for, and of those that live."""
    ticks = 0
    for one in children(pid):
        with contextlib.suppress(OSError, IndexError):
            words = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, words[11:15] if one == pid else words[11:13]))
    return ticks / TICKS
