"""``duct-tape runs follow``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import click
from attrs import define, evolve, field

from duct_tape.cli.ending import UNFINISHED, Unrecorded, told
from duct_tape.cli.journal import existing, explained, with_stores
from duct_tape.cli.options import config_option, json_option
from duct_tape.follow import sentence
from duct_tape.journal.sqlite import SQLiteJournal
from duct_tape.logs import escaped, one_line
from duct_tape.results import Result
from duct_tape.runs import Run, RunState
from duct_tape.volume import Volume

SECONDS = 0.3
# A line that does not end is shown in pieces.
MAX_LINE = 64 * 1024


@click.command("follow", epilog="Example: duct-tape runs follow 01a2094ef9f258cf547b")
@click.argument("run")
@config_option
@json_option
def follow_command(run: str, config: Path | None, as_json: bool) -> int:
    """Print what bin/deploy prints, as it comes, until the run has ended.

    Control characters are shown as escapes. Exit code 0 if the run was deployed, 1 if it ended in any other way.
    With --json there is one object per line: {"line": …} and, in the end, {"state": …}.
    """

    def show(line: str) -> None:
        click.echo(json.dumps({"line": line}) if as_json else "\t".join(map(one_line, line.split("\t"))))

    def note(text: str) -> None:
        click.echo(text, err=True)

    ended = with_stores(config, lambda journal, volume: followed(journal, volume, run, show, note))
    if as_json:
        click.echo(json.dumps({"run": ended.id, "state": ended.state, "detail": ended.detail}))
    else:
        click.echo(f"run {ended.id}: {ended.state}" + (f": {escaped(ended.detail)}" if ended.detail else ""))
    return 0 if ended.state in (RunState.DEPLOYED, RunState.DONE) else 1


async def followed(
    journal: SQLiteJournal, volume: Volume, identity: str, show: Callable[[str], None], note: Callable[[str], None]
) -> Run:
    """Show the lines of a run's log until the run has ended.

    :param note: is told once what is waited for, if the deploy has not begun.
    :returns: the run as it ended, whether or not a server has recorded that.
    """
    log, unrecorded, noted = Log(volume, identity, show), Unrecorded(), False
    while True:
        run = await existing(journal, identity)
        result = await asyncio.to_thread(_told, volume, run)
        if run.state in UNFINISHED and (last := unrecorded.end(result)):
            run = evolve(run, state=RunState(last.state), detail=sentence(last), result=last)
        # The state first and then the log: of a run that has ended, all of it is there.
        await asyncio.to_thread(log.read, result)
        if run.state not in UNFINISHED:
            log.finish(run.result)
            return run
        if run.state is not RunState.DEPLOYING and not result and not noted:
            noted = True
            [run] = await explained(journal, [run])
            why = f" ({escaped(run.detail)})" if run.state is RunState.ACCEPTED and run.detail else ""
            note(f"run {identity} is {run.state}{why}; waiting for its deploy")
        await asyncio.sleep(SECONDS)


def _told(volume: Volume, run: Run) -> Result | None:
    with suppress(OSError):  # The volume is away: what the journal knows is enough.
        return told(volume, run)
    return None


@define
class Log:
    """Reads a log that grows, and shows each line when it is whole."""

    volume: Volume
    run: str
    show: Callable[[str], None]
    _offset: int = field(default=0, init=False)
    _rest: bytes = field(default=b"", init=False)
    _started: str | None = field(default=None, init=False)
    _shown: bool = field(default=False, init=False)

    def read(self, result: Result | None) -> None:
        """Show what is new.

        :param result: what is known of the deploy; one that starts again begins its log anew.
        """
        if result and result.started_at != self._started:
            if self._started:
                self._offset, self._rest = 0, b""
            self._started = result.started_at
        with suppress(OSError):
            while part := self.volume.read_log(self.run, self._offset):
                self._offset += len(part)
                *whole, self._rest = (self._rest + part).split(b"\n")
                for line in whole:
                    self._show(line)
                if len(self._rest) > MAX_LINE:
                    self._flush()

    def finish(self, result: Result | None) -> None:
        """Show what is left; if the log itself is gone, the last lines that the journal keeps."""
        self._flush()
        if not self._shown and result and result.started_at:
            for line in result.output.splitlines():
                self.show(line)

    def _flush(self) -> None:
        if self._rest:
            self._show(self._rest)
        self._rest = b""

    def _show(self, line: bytes) -> None:
        self._shown = True
        self.show(line.decode("utf-8", "replace"))
