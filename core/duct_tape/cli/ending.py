"""The end of a run, for commands that wait for it with or without a server."""

from __future__ import annotations

import time

from attrs import define, field

from duct_tape.results import Result
from duct_tape.runs import WITH_LISTENER, Run, RunState
from duct_tape.volume import Volume

# How long a running server may take to record what the listener has told.
RECORD_SECONDS = 3.0

UNFINISHED = WITH_LISTENER | {RunState.ACCEPTED}


def told(volume: Volume, run: Run) -> Result | None:
    """What the listener says of the run's deploy; nothing is believed that is about another run."""
    result = Result.parse(volume.read_result(run.id) or b"")
    return result if result and (result.run, result.application) == (run.id, run.application) else None


@define
class Unrecorded:
    """Notices ends that the listener has told, and that no server records."""

    _since: float | None = field(default=None, init=False)

    def end(self, result: Result | None) -> Result | None:
        """The result, once it is the last one and a server had the time to record it."""
        if result is None or not result.final:
            return None
        if self._since is None:
            self._since = time.monotonic()
        return result if time.monotonic() - self._since >= RECORD_SECONDS else None
