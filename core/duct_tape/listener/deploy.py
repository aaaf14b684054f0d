"""A deploy: one run of an application's ``bin/deploy``, from its start to its result."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable

from attrs import evolve, frozen

from duct_tape.flags import Flag
from duct_tape.listener.applications import Applications
from duct_tape.listener.claims import Order
from duct_tape.listener.environment import environment
from duct_tape.listener.output import Log, Output
from duct_tape.listener.process import Cause, Script, exit_code, start, wait
from duct_tape.listener.settings import Settings
from duct_tape.results import Result, State, moment

CANNOT_START = "bin/deploy cannot be started: "

log = logging.getLogger(__name__)


@frozen(kw_only=True)
class Deploy:
    """Carries out one order.

    :param record: where the script's output goes.
    :param report: told that the deploy has started.
    :param stop: ends the deploy before its time; it is done again later.
    :param cancel: ends it for good.
    """

    order: Order
    settings: Settings
    record: Log
    report: Callable[[Result], None]
    stop: asyncio.Event
    cancel: asyncio.Event

    async def run(self) -> Result | None:
        """The result, or None when the deploy was interrupted and has to be done again."""
        begun = time.time()
        deploying = Result.of(self.order.flag, "deploying", started_at=moment(begun))
        output = Output(self.record)
        log.info("%s: deploying %s", self.order.application, describe(self.order.flag))
        self.report(deploying)
        try:
            process = await start(self._script(), output)
        except OSError as error:
            sentence = _cannot_start(error)
            self.record.write(f"{sentence}\n".encode())
            output.finish()
            return _ended(deploying, begun, "failed", _shells_code(error), sentence)
        cause = await wait(process, self.settings.timeout, self.stop, self.cancel, self.settings.kill_after)
        text = output.finish()
        if cause == "stop":
            return None
        code = exit_code(process) if cause == "exit" else None
        return _ended(deploying, begun, _state(cause, code), code, text)

    def _script(self) -> Script:
        applications = Applications(self.settings.applications.absolute())
        name = self.order.application
        return Script(
            path=applications.script(name),
            folder=applications.folder(name),
            environment=environment(self.order.flag, self.order.claim.id, os.environ),
            stdin=self.order.stdin,
        )


def describe(flag: Flag) -> str:
    """The flag's tag and run, for the log."""
    return f"{flag.tag} (run {flag.run})" if flag.tag else f"(run {flag.run})"


def _state(cause: Cause, code: int | None) -> State:
    if cause != "exit":
        return "cancelled" if cause == "cancel" else "timed out"
    return "deployed" if code == 0 else "failed"


def _ended(deploying: Result, begun: float, state: State, code: int | None, output: str) -> Result:
    now = time.time()
    duration = round(now - begun, 3)
    return evolve(deploying, state=state, exit_code=code, finished_at=moment(now), duration=duration, output=output)


def _cannot_start(error: OSError) -> str:
    hint = "; is the interpreter in its first line there?" if isinstance(error, FileNotFoundError) else ""
    return f"{CANNOT_START}{error.strerror}{hint}"


def _shells_code(error: OSError) -> int:
    """The exit code by which a shell says the same."""
    return 127 if isinstance(error, FileNotFoundError) else 126
