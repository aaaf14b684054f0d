"""Cancelling: a file ``.cancel/<run>`` in the volume asks for the end of a run.

The container may leave anything there, and any number of it. So the names of this listener's own runs are looked up,
and nothing is opened; what nobody is going to ask for any more is removed in small portions.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress

from duct_tape.listener.names import is_run_id
from duct_tape.listener.spool import Spool
from duct_tape.listener.sweep import Sweep

# A flag that a day later has not come does not come any more.
KEEP_SECONDS = 24 * 3600.0
PORTION = 1000


def requested(spool: Spool, runs: Iterable[str]) -> set[str]:
    """Those of ``runs`` that are to end."""
    wanted = list(runs)
    if not wanted:
        return set()
    with spool.cancel() as folder:
        return {run for run in wanted if _is_request(folder, run)}


def forget(spool: Spool, run: str) -> None:
    """Remove the request for a run that has ended, if there is one."""
    with spool.cancel() as folder, suppress(OSError):
        os.unlink(run, dir_fd=folder)


def tidy(
    spool: Spool, sweep: Sweep, active: Collection[str], ended: Callable[[str], bool], keep: float = KEEP_SECONDS
) -> None:
    """Remove a portion of what is no request, and of requests that come too late or whose flag never came.

    :param sweep: where the last portion ended.
    :param active: runs that have not ended.
    :param ended: whether the end of a run is told already.
    :param keep: how long a request may wait for its flag, in seconds.
    """
    oldest = time.time() - keep
    with spool.cancel() as folder:
        for name in sweep.take(folder):
            with suppress(OSError):
                status = os.lstat(name, dir_fd=folder)
                if stat.S_ISDIR(status.st_mode):
                    os.rmdir(name, dir_fd=folder)
                elif not _may_be_served(name, status, active, ended, oldest):
                    os.unlink(name, dir_fd=folder)


def _is_request(folder: int, run: str) -> bool:
    with suppress(OSError):
        return stat.S_ISREG(os.lstat(run, dir_fd=folder).st_mode)
    return False


def _may_be_served(
    name: str, status: os.stat_result, active: Collection[str], ended: Callable[[str], bool], oldest: float
) -> bool:
    if not stat.S_ISREG(status.st_mode) or not is_run_id(name):
        return False
    return name in active or (status.st_mtime > oldest and not ended(name))
