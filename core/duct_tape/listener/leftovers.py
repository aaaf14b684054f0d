"""Left-over processes: what an interrupted deploy still has running when its listener is gone.

A listener that was killed cannot end its deploys, and a second deploy of the same application must not run beside
them. They are found by their environment, which the system vouches for, and not by anything that the volume says.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")


def end_left_overs(run: str, proc: Path = PROC) -> int:
    """Kill the process groups that were started for ``run``; gives back how many there were."""
    mark = f"DUCT_TAPE_RUN={run}".encode()
    groups = {_group(pid) for pid in _processes(proc) if mark in _environment(proc, pid)}
    # A listener that bin/deploy itself has started bears the mark, too, and does not end itself.
    groups -= {0, os.getpgrp()}
    for group in groups:
        with suppress(OSError):
            os.killpg(group, signal.SIGKILL)
    return len(groups)


def _processes(proc: Path) -> list[int]:
    with suppress(OSError):
        return [int(name) for name in os.listdir(proc) if name.isdecimal()]
    return []


def _environment(proc: Path, pid: int) -> list[bytes]:
    with suppress(OSError):  # Another user's, or ended meanwhile.
        return (proc / str(pid) / "environ").read_bytes().split(b"\0")
    return []


def _group(pid: int) -> int:
    with suppress(OSError):
        return os.getpgid(pid)
    return 0
