"""One process group: started in a session of its own, waited for, and ended as a whole when it must end."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal, TypeAlias

from attrs import frozen

from duct_tape.listener.output import Output

# How it came to an end: by itself, by its time limit, because somebody cancelled it, or because the listener stops.
Cause: TypeAlias = Literal["exit", "timeout", "cancel", "stop"]

_LOOK_AGAIN = 0.05
_LAST_WAIT = 5.0
PROC = Path("/proc")

log = logging.getLogger(__name__)


@frozen(kw_only=True)
class Script:
    """What is to be run.

    :param path: the executable file.
    :param folder: its working directory.
    :param stdin: what it reads; it ends there, so that a script never waits for input.
    """

    path: Path
    folder: Path
    environment: Mapping[bytes, bytes]
    stdin: bytes


async def start(script: Script, output: Output) -> asyncio.subprocess.Process:
    """Start the script with its output going to ``output``.

    :raises OSError: the system cannot start it.
    """
    try:
        with tempfile.TemporaryFile() as stdin:
            stdin.write(script.stdin)
            stdin.seek(0)
            try:
                return await _spawn(script, stdin.fileno(), output, str(script.path))
            except OSError as error:
                if error.errno != errno.ENOEXEC:
                    raise
                # No `#!` line: a shell runs such a file as a shell script, and so do we.
                return await _spawn(script, stdin.fileno(), output, "/bin/sh", str(script.path))
    finally:
        output.handed_over()


async def wait(
    process: asyncio.subprocess.Process, limit: float, stop: asyncio.Event, cancel: asyncio.Event, kill_after: float
) -> Cause:
    """Wait for the end of the process, and bring it about after ``limit`` seconds or when an event is set.

    One that was cancelled has ended when no process of its group is left. If that takes longer than the listener may
    live, it is ``stop``.
    """
    ended = asyncio.ensure_future(process.wait())
    stopped = asyncio.ensure_future(stop.wait())
    cancelled = asyncio.ensure_future(cancel.wait())
    try:
        await asyncio.wait({ended, stopped, cancelled}, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            return "exit"
        await _end_group(process.pid, kill_after)
        await asyncio.wait({ended}, timeout=_LAST_WAIT)
        if cancel.is_set() and await _gone(process.pid, stop):
            return "cancel"
        return "stop" if stop.is_set() else "timeout"
    finally:
        for future in (ended, stopped, cancelled):
            future.cancel()


def exit_code(process: asyncio.subprocess.Process) -> int | None:
    """As a shell shows it: 128 + n for a process that signal n ended."""
    code = process.returncode
    return 128 - code if code is not None and code < 0 else code


async def _spawn(script: Script, stdin: int, output: Output, *words: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *words,
        cwd=script.folder,
        env=script.environment,
        stdin=stdin,
        stdout=output.writer,
        stderr=output.writer,
        start_new_session=True,
    )


async def _end_group(group: int, kill_after: float) -> None:
    """Ask every process of the group to end, and kill what is left of it after a while."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + kill_after
    if not _signal(group, signal.SIGTERM):
        return
    while loop.time() < deadline:
        await asyncio.sleep(_LOOK_AGAIN)
        if not _signal(group, 0):
            return
    _signal(group, signal.SIGKILL)


async def _gone(group: int, stop: asyncio.Event) -> bool:
    """Wait until no process of the group is left; False when ``stop`` is set before."""
    begun, told = time.monotonic(), False
    while _runs(group):
        if stop.is_set():
            return False
        if not told and time.monotonic() - begun > _LAST_WAIT:
            told = True
            log.warning("what bin/deploy has started cannot be ended (process group %d); waiting for its end", group)
        await asyncio.sleep(_LOOK_AGAIN)
    return True


def _runs(group: int) -> bool:
    """Whether a process of the group still runs; one that only waits to be noticed does not."""
    return _signal(group, 0) and _states(group) != {"Z"}


def _states(group: int, proc: Path = PROC) -> set[str]:
    """The states of the group's processes, as far as the system tells them."""
    states = set()
    with suppress(OSError):
        for pid in filter(str.isdecimal, os.listdir(proc)):
            with suppress(OSError):  # It has ended meanwhile.
                state, _, its_group, *_ = (proc / pid / "stat").read_text(errors="replace").rpartition(") ")[2].split()
                if int(its_group) == group:
                    states.add(state)
    return states


def _signal(group: int, number: int) -> bool:
    """Send a signal; False when no process of the group is left."""
    with suppress(PermissionError):  # Someone is there, but as another user, for instance below sudo.
        try:
            os.killpg(group, number)
        except ProcessLookupError:
            return False
    return True
