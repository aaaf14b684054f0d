"""``duct-tape serve`` for ``prove cost``, on one core, with its journal or without it.

Without it a delivery is accepted by a method that returns at once. That is no way to run a server: it forgets all.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from duct_tape import logs
from duct_tape.assembly import assemble_sources
from duct_tape.conf.sources import read
from duct_tape.delivery import Runs
from duct_tape.events import Event
from duct_tape.journal import Acceptance
from duct_tape.journal.sqlite import SQLiteJournal
from duct_tape.runs import Run
from duct_tape.web.serve import serve


async def accept(self: SQLiteJournal, event: Event, decision: Runs, runs: Sequence[Run]) -> Acceptance:
    """In place of the journal's own."""
    return Acceptance(runs=tuple(runs))


def main() -> None:
    kind, core, path = sys.argv[1:]
    os.sched_setaffinity(0, {int(core)})
    if kind == "without":
        SQLiteJournal.accept = accept  # type: ignore[method-assign]
    logs.configure("warning", "text")
    serve(assemble_sources(read(Path(path))).require())


if __name__ == "__main__":
    main()
