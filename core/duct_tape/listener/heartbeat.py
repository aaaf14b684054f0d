"""The heartbeat: a small file that tells the container that somebody is listening."""

from __future__ import annotations

import json
import os
import time

from attrs import define, field

from duct_tape import __version__
from duct_tape.files import write
from duct_tape.listener.applications import Applications
from duct_tape.listener.spool import Spool
from duct_tape.results import moment

NAME = ".listener.json"
MAX_APPLICATIONS = 1000


@define(eq=False)
class Heartbeat:
    """Writes ``.listener.json``, at most once in ``every`` seconds."""

    applications: Applications
    every: float = 5.0
    _started: float = field(factory=time.time, init=False)
    _written: float | None = field(default=None, init=False)

    def beat(self, spool: Spool) -> None:
        """Call after every look into the volume."""
        now = time.monotonic()
        if self._written is None or now - self._written >= self.every:
            self._written = now
            write(spool.top, NAME, self._line())

    def again(self) -> None:
        """Write at the next beat, whenever that is: the volume is a new one."""
        self._written = None

    def _line(self) -> bytes:
        said = {
            "version": __version__,
            "pid": os.getpid(),
            "started": moment(self._started),
            "last_scan": moment(time.time()),
            "applications": self.applications.deployable()[:MAX_APPLICATIONS],
        }
        return json.dumps(said).encode("ascii") + b"\n"
