"""``duct-tape cancel``."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import click
from attrs import asdict, define, field, frozen

from duct_tape.cli.ending import UNFINISHED, Unrecorded, told
from duct_tape.cli.journal import existing, with_stores
from duct_tape.cli.options import config_option, json_option, print_outcome
from duct_tape.cli.pause import user
from duct_tape.errors import DuctTapeError, VolumeError
from duct_tape.follow import HEARTBEAT, sentence
from duct_tape.journal.sqlite import SQLiteJournal
from duct_tape.runs import Run, RunState
from duct_tape.volume import Volume

SECONDS = 0.2
BEFORE = "cancelled by {} before it began"
WITHDRAWN = "cancelled by {} before a listener took its flag"

# A listener that starts again deploys a lost run once more.
OPEN = UNFINISHED | {RunState.LOST}


@frozen
class Answer:
    """What became of the wish to cancel a run."""

    run: str
    state: str
    cancelled: bool
    detail: str


@click.command("cancel", epilog="Example: duct-tape cancel 01a2094ef9f258cf547b")
@click.argument("run")
@click.option(
    "--wait", "seconds", type=click.FloatRange(0), default=60, show_default=True, help="How long to wait for its end."
)
@config_option
@json_option
def command(run: str, seconds: float, config: Path | None, as_json: bool) -> int:
    """End a run that waits or is deployed, with all its processes.

    Works beside a running server, and without one. A running bin/deploy is asked to end and killed after a while;
    the command returns when every process of its group is gone. Exit code 1 if the run ended in another way before,
    or did not end in time. Then the request stays, and the listener serves it when it can.
    """

    def tell(text: str) -> None:
        if sys.stderr.isatty():
            click.echo(text, err=True)

    try:
        answer = with_stores(config, lambda journal, volume: Cancelling(journal, volume, run, seconds, tell).answer())
    except OSError as error:
        why = str(error) if isinstance(error, VolumeError) else f"the shared volume cannot be used: {error.strerror}"
        raise DuctTapeError(f"{why}; run this where the server runs, as the server's user") from None
    print_outcome(as_json, asdict(answer), answer.detail, err=not answer.cancelled)
    return 0 if answer.cancelled else 1


@define
class Cancelling:
    """One attempt to cancel a run.

    :param seconds: how long it may take.
    :param tell: is told what is waited for.
    """

    journal: SQLiteJournal
    volume: Volume
    identity: str
    seconds: float
    tell: Callable[[str], None]
    _requested: bool = field(default=False, init=False)
    _unrecorded: Unrecorded = field(factory=Unrecorded, init=False)

    async def answer(self) -> Answer:
        """Do what the state of the run asks for until it has ended.

        :raises OSError: the shared volume cannot be used.
        """
        began = time.monotonic()
        run = await existing(self.journal, self.identity)
        if run.state not in OPEN:
            return self._ended(run, "there is nothing to cancel")
        beat = self._beat()
        while True:
            await self._step(run)
            run = await existing(self.journal, self.identity)
            if run.state not in OPEN:
                break
            if time.monotonic() - began >= self.seconds:
                return self._unanswered(run, alive=self._beat() != beat)
            await asyncio.sleep(SECONDS)
        if self._requested:
            await asyncio.to_thread(self.volume.forget_cancel, run.id)
        return self._ended(run, "it ended before the request came")

    def _beat(self) -> bytes | None:
        with suppress(OSError):
            return self.volume.read(HEARTBEAT)
        return None

    async def _step(self, run: Run) -> None:
        if run.state is RunState.ACCEPTED:
            await self.journal.cancel(run.id, BEFORE.format(user()))
        elif run.state is RunState.FLAGGED and await asyncio.to_thread(self.volume.withdraw, run.id, run.application):
            await self.journal.report(run.id, RunState.CANCELLED, WITHDRAWN.format(user()), None)
        elif not self._requested:
            await asyncio.to_thread(self.volume.request_cancel, run.id)
            self._requested = True
            self.tell(f"run {run.id} is {run.state}; waiting up to {self.seconds:g} s for the end of its processes")
        elif result := self._unrecorded.end(await asyncio.to_thread(told, self.volume, run)):
            await self.journal.report(run.id, RunState(result.state), sentence(result), result)

    def _ended(self, run: Run, otherwise: str) -> Answer:
        cancelled = run.state is RunState.CANCELLED
        detail = run.detail if cancelled else otherwise
        return Answer(run.id, str(run.state), cancelled, f"run {run.id} is {run.state}: {detail}")

    def _unanswered(self, run: Run, alive: bool) -> Answer:
        within = f"within {self.seconds:g} seconds"
        if not self._requested:
            detail = f"run {run.id} is being carried out, and could not be cancelled {within}: try again"
        elif alive:
            detail = f"the listener has not ended run {run.id} {within}; it goes on trying"
        else:
            detail = (
                f"no listener has answered {within}. The request to cancel run {run.id} stays in the volume; a "
                "listener that looks there within a day serves it"
            )
        return Answer(run.id, str(run.state), False, detail)
