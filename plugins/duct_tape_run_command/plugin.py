"""The action ``run-command``: runs a program of this machine, with values of the release as arguments."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from weakref import WeakKeyDictionary

from duct_tape.api import Action, Context, Outcome, Result, Run, RunState, TransientError, hookimpl
from duct_tape_run_command.command import Command, command_of, preview
from duct_tape_run_command.conf import RunCommandSettings
from duct_tape_run_command.process import Commands, Ended

DUCT_TAPE_API = (1, 0)

# After that the server stops without having seen the end of a command, which its keeper brings about.
LAST_WAIT = 1.0

# Those of the servers of this process.
_COMMANDS: WeakKeyDictionary[Context, Commands] = WeakKeyDictionary()


@hookimpl
def ducttape_actions(ctx: Context) -> Mapping[str, Action[Any]]:
    """The one action of this plugin."""

    async def perform(run: Run, settings: RunCommandSettings) -> Outcome:
        begun = time.time()
        command = command_of(run, settings, os.environ)
        ctx.log.info("run %s of %s: running %s", run.id, run.application, command.arguments[0])
        commands = _COMMANDS.setdefault(ctx, Commands())
        ended = await commands.carry_out(command, settings.timeout, settings.kill_after)
        return judged(run, settings, command, ended, begun)

    def previewed(run: Run, settings: RunCommandSettings) -> Mapping[str, str]:
        return preview(command_of(run, settings, os.environ))

    return {"run-command": Action(settings=RunCommandSettings, perform=perform, preview=previewed)}


@hookimpl
def ducttape_lifespan(ctx: Context) -> AbstractAsyncContextManager[None]:
    """Wait at the end for the commands that were cut short."""

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        commands = _COMMANDS.setdefault(ctx, Commands())
        try:
            yield
        finally:
            if left := await commands.close(LAST_WAIT):
                ctx.log.warning("commands that still clean up: %d; they are killed after `kill_after` seconds", left)

    return lifespan()


def judged(run: Run, settings: RunCommandSettings, command: Command, ended: Ended, begun: float) -> Outcome:
    """What the end of its command makes of the run.

    :param begun: seconds since the epoch.
    :raises TransientError: it failed, and is to be tried again.
    """
    detail = _sentence(command.arguments[0], settings, ended)
    good = ended.code == 0 and not ended.timed_out
    if ended.stopped and not good:
        # It did not fail: like one that the server itself cut short, it is run once more.
        raise TransientError(f"{command.arguments[0]} was stopped together with the server")
    if not good and run.attempts + 1 < settings.attempts:
        raise TransientError(detail)
    failed = RunState.TIMED_OUT if ended.timed_out else RunState.FAILED
    result = Result.ended(
        run.flag(),
        "deployed" if good else "timed out" if ended.timed_out else "failed",
        begun,
        exit_code=ended.code,
        output=ended.output,
    )
    return Outcome(state=RunState.DONE if good else failed, detail=detail, result=result)


def _sentence(program: str, settings: RunCommandSettings, ended: Ended) -> str:
    if ended.error:
        return f"{program} cannot be started: {ended.error}"
    if ended.timed_out:
        return f"{program} took longer than {settings.timeout:g} seconds and was ended"
    if ended.code is None:
        return f"nobody knows how {program} ended: the process that looked after it was killed"
    return f"{program} ended with exit code {ended.code}"
