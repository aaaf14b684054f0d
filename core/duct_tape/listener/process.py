"""One process group: started in a session of its own, waited for, and ended as a whole when it must end."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal, TypeAlias

from attrs import frozen

from duct_tape.listener.output import Output

# How it came to an end: by itself, by its time limit, or because the listener stops.
Cause: TypeAlias = Literal["exit", "timeout", "stop"]

_LOOK_AGAIN = 0.05
_LAST_WAIT = 5.0


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


async def wait(process: asyncio.subprocess.Process, limit: float, stop: asyncio.Event, kill_after: float) -> Cause:
    """Wait for the end of the process, and bring it about after ``limit`` seconds or when ``stop`` is set."""
    ended = asyncio.ensure_future(process.wait())
    stopped = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({ended, stopped}, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            return "exit"
        await _end_group(process.pid, kill_after)
        await asyncio.wait({ended}, timeout=_LAST_WAIT)
        return "stop" if stopped.done() else "timeout"
    finally:
        ended.cancel()
        stopped.cancel()


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


def _signal(group: int, number: int) -> bool:
    """Send a signal; False when no process of the group is left."""
    with suppress(PermissionError):  # Someone is there, but as another user, for instance below sudo.
        try:
            os.killpg(group, number)
        except ProcessLookupError:
            return False
    return True
