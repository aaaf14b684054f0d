"""Left-over processes: what an interrupted deploy still has running when its listener is gone.

A listener that was killed cannot end its deploys, and a second deploy of the same application must not run beside
them. They are found by their environment, which the system vouches for, and not by anything that the volume says: a
claim's id is made by a listener, is another one in every volume, and lies where nobody else can write. A run's id is
the container's word, and could name the processes of another volume, or what an earlier deploy has left on purpose.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from duct_tape.listener.environment import MARK

PROC = Path("/proc")
# From SIGKILL to their end; one that hangs in the system may take for ever.
SECONDS = 5.0


def end_left_overs(claim: str, proc: Path = PROC) -> int:
    """Kill the process groups that were started for a claim, and wait until they are gone.

    :param claim: the claim's id.
    :returns: how many there were.
    """
    groups = _groups(claim, proc)
    for group in groups:
        with suppress(OSError):
            os.killpg(group, signal.SIGKILL)
    deadline = time.monotonic() + SECONDS
    while groups and _groups(claim, proc) & groups and time.monotonic() < deadline:
        time.sleep(0.01)
    return len(groups)


def _groups(claim: str, proc: Path) -> set[int]:
    mark = f"{MARK}={claim}".encode()
    groups = {_group(pid) for pid in _processes(proc) if mark in _environment(proc, pid)}
    # A listener that bin/deploy itself has started bears the mark, too, and does not end itself.
    return groups - {0, os.getpgrp()}


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
