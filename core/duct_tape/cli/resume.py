"""``duct-tape resume``."""

from __future__ import annotations

from pathlib import Path

import click

from duct_tape.cli.journal import PICKED_UP, moment, with_journal
from duct_tape.cli.options import config_option
from duct_tape.errors import DuctTapeError
from duct_tape.journal import Pause
from duct_tape.journal.sqlite import SQLiteJournal
from duct_tape.logs import escaped
from duct_tape.runs import Run, RunState


@click.command("resume", epilog="Example: duct-tape resume shop.example.com")
@click.argument("application")
@config_option
def command(application: str, config: Path | None) -> None:
    """Carry out the runs of a paused application again. Works beside a running server."""
    pause, waiting = with_journal(config, lambda journal: _resumed(journal, application))
    reason = f": {escaped(pause.reason)}" if pause.reason else ""
    click.echo(f"{application} goes on; {escaped(pause.who)} had paused it at {moment(pause.since)}{reason}")
    for run in waiting:
        version = run.event.release.tag if run.event.release else run.event.name
        click.echo(f"run {run.id} of {escaped(version)} is next. {PICKED_UP}")


async def _resumed(journal: SQLiteJournal, application: str) -> tuple[Pause, list[Run]]:
    if pause := await journal.resume(application):
        return pause, (await journal.recent(10, application, RunState.ACCEPTED))[::-1]
    names = ", ".join(pause.application for pause in await journal.pauses()) or "nothing"
    raise DuctTapeError(f"{escaped(application)!r} is not paused; paused is: {names}")
