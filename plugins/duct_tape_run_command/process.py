"""A command as a process: started through its keeper, waited for, and ended as a whole when it must end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from attrs import define, field, frozen

from duct_tape_run_command.command import Command
from duct_tape_run_command.output import Output

KEEPER = Path(__file__).with_name("keeper.py")


@frozen(kw_only=True)
class Ended:
    """How a command ended.

    :param code: as a shell shows it: 128 + n when signal n ended it; None when nobody knows.
    :param error: why it could not be started.
    :param timed_out: whether it was ended because it took too long.
    :param stopped: whether somebody else than the server ended it with all that belongs to the server, as a service
        manager does.
    :param output: its last lines.
    """

    code: int | None = None
    error: str = ""
    timed_out: bool = False
    stopped: bool = False
    output: str = ""


@define(eq=False)
class Commands:
    """The commands that are at work, and the outputs that are still written to."""

    _outputs: set[Output] = field(factory=set, init=False)
    _tasks: set[asyncio.Task[Any]] = field(factory=set, init=False)

    async def carry_out(self, command: Command, seconds: float, kill_after: float) -> Ended:
        """Run a command to its end. When this is cancelled, the command is ended first.

        :param seconds: after so many it is ended.
        :param kill_after: seconds that it has to clean up then.
        :raises OSError: the machine cannot start any process.
        """
        task = cast(asyncio.Task[Any], asyncio.current_task())
        self._tasks.add(task)
        self._outputs = {output for output in self._outputs if not output.closed}
        output = Output()
        self._outputs.add(output)
        try:
            return await _carry_out(command, seconds, kill_after, output)
        finally:
            self._tasks.discard(task)

    async def close(self, seconds: float) -> int:
        """Wait for the commands that are being ended; returns how many have not after so many seconds.

        Their keepers end those, also when this process is gone.
        """
        pending = set(self._tasks)
        if pending:
            _, pending = await asyncio.wait(pending, timeout=seconds)
        for output in self._outputs:
            output.close()
        return len(pending)


async def _carry_out(command: Command, seconds: float, kill_after: float, output: Output) -> Ended:
    keeper = await _started(output)
    order = {
        "arguments": command.arguments,
        "directory": command.directory,
        "environment": dict(command.environment),
        "stdin": command.stdin,
        "kill_after": kill_after,
    }
    timed_out = False
    try:
        async with asyncio.timeout(seconds):
            await keeper.keep(json.dumps(order).encode("ascii") + b"\n")
    except TimeoutError:
        # It may have ended at the very last moment.
        timed_out = not {"code", "error"} & keeper.said.keys()
    finally:
        await keeper.end()
    said = keeper.said
    code = said.get("code")
    shown = 128 - code if code is not None and code < 0 else code
    return Ended(
        code=None if timed_out else shown,
        error=said.get("error", ""),
        timed_out=timed_out,
        stopped=said.get("stopped", False),
        output=output.finish(),
    )


@define(eq=False)
class _Keeper:
    """See ``duct_tape_run_command.keeper``.

    :param said: what it has told so far.
    """

    process: asyncio.subprocess.Process
    answers: asyncio.StreamReader
    transport: asyncio.BaseTransport
    said: dict[str, Any] = field(factory=dict)

    async def keep(self, order: bytes) -> None:
        """Hand in the order, and listen until the command has ended."""
        stdin = cast(asyncio.StreamWriter, self.process.stdin)
        # A keeper that somebody killed says nothing; that is told by what it has not said.
        with suppress(ConnectionError):
            stdin.write(order)
            await stdin.drain()
        async for line in self.answers:
            self.said |= json.loads(line)

    async def end(self) -> None:
        """Have the command ended, if it has not; returns when it has."""
        cast(asyncio.StreamWriter, self.process.stdin).close()
        await self.process.wait()
        async for line in self.answers:
            self.said |= json.loads(line)
        self.transport.close()
        if "group" in self.said and "code" not in self.said:
            # Somebody killed the keeper, so nobody else is left to do it.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.said["group"], signal.SIGKILL)


async def _started(output: Output) -> _Keeper:
    reading, writing = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            # Nothing of the environment, no module of a working directory, and nothing that is installed.
            sys.executable, "-I", "-S", "-X", "utf8", str(KEEPER), str(writing),
            stdin=asyncio.subprocess.PIPE, stdout=output.writer, stderr=output.writer,
            pass_fds=(writing,), env={}, cwd="/", start_new_session=True,
        )  # fmt: skip
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
        output.handed_over()
    answers = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(answers), os.fdopen(reading, "rb", buffering=0)
    )
    return _Keeper(process, answers, transport)
