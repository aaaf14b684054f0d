"""Results: what the listener writes back about a deploy, for the container to read."""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from contextlib import suppress

from duct_tape.files import create, read, write
from duct_tape.listener.spool import Spool
from duct_tape.listener.sweep import Sweep
from duct_tape.results import MAX_RESULT_BYTES, Result

KEEP_RUNS = 200
UNREAD_SECONDS = 600.0
# However busy it is, the folder stays of a size that can be listed.
MOST_RUNS = 5000
# Of more files, which only a stranger makes, those of one portion are compared with each other.
PORTION = 4 * MOST_RUNS
KEEP_SECONDS = 30 * 24 * 3600.0


def put(spool: Spool, result: Result) -> None:
    """Make ``.results/<run>.json`` appear."""
    with spool.results() as folder:
        # A refusal can be had for any name, a million times; it does not have to outlast a power failure.
        write(folder, f"{result.run}.json", result.to_line(), durable=result.state not in ("deploying", "refused"))


def begun(spool: Spool, run: str) -> str | None:
    """When a run has started whose last result is ``deploying``."""
    found = _last(spool, run)
    return found.started_at if found and not found.final else None


def ended(spool: Spool, run: str) -> bool:
    """Whether the end of a run is told already."""
    found = _last(spool, run)
    return found is not None and found.final


def _last(spool: Spool, run: str) -> Result | None:
    try:
        with spool.results() as folder:
            return Result.parse(read(folder, f"{run}.json", MAX_RESULT_BYTES))
    except OSError:
        return None


def open_log(spool: Spool, run: str) -> int:
    """A handle of the new, empty ``.results/<run>.log``."""
    name = f"{run}.log"
    with spool.results() as folder:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)
        return create(folder, name)


def prune(
    spool: Spool,
    sweep: Sweep,
    active: Collection[str] = (),
    keep: int = KEEP_RUNS,
    age: float = KEEP_SECONDS,
    unread: float = UNREAD_SECONDS,
) -> None:
    """Delete the results and logs of all but the newest runs, and of those that are very old.

    :param sweep: where the last portion ended.
    :param active: runs whose deploy has not ended.
    :param unread: results that are younger, in seconds, are kept however many there are: a server that was just
        started again has not read them yet.
    """
    with spool.results() as folder:
        runs: dict[str, float] = {}
        names = sweep.take(folder)
        for name in names:
            with suppress(FileNotFoundError):
                changed = os.lstat(name, dir_fd=folder).st_mtime
                runs[_run(name)] = max(changed, runs.get(_run(name), 0.0))
        now = time.time()
        newest = sorted(runs, key=lambda run: runs[run], reverse=True)
        unread_ones = {run for run in newest[:MOST_RUNS] if runs[run] > now - unread}
        kept = {run for run in newest[:keep] if runs[run] > now - age} | unread_ones | set(active)
        for name in names:
            if _run(name) not in kept:
                with suppress(OSError):
                    os.unlink(name, dir_fd=folder)


def _run(name: str) -> str:
    return name.removesuffix(".json").removesuffix(".log")
