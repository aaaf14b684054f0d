"""``duct-tape resume``."""

from __future__ import annotations

from pathlib import Path

import click

from duct_tape.cli.journal import PICKED_UP, moment, with_journal
from duct_tape.cli.options import config_option, json_option, print_outcome
from duct_tape.cli.pause import described
from duct_tape.cli.runs import version
from duct_tape.errors import DuctTapeError
from duct_tape.journal import Pause
from duct_tape.journal.sqlite import SQLiteJournal
from duct_tape.logs import escaped
from duct_tape.runs import Run, RunState


@click.command("resume", epilog="Example: duct-tape resume shop.example.com")
@click.argument("application")
@config_option
@json_option
def command(application: str, config: Path | None, as_json: bool) -> None:
    """Carry out the runs of a paused application again. Works beside a running server."""
    pause, waiting = with_journal(config, lambda journal: _resumed(journal, application))
    reason = f": {pause.reason}" if pause.reason else ""
    print_outcome(
        as_json,
        {**described(pause), "paused": False, "runs": [run.id for run in waiting]},
        f"{application} goes on; {pause.who} had paused it at {moment(pause.since)}{reason}",
        *(f"run {run.id} of {version(run)} is next. {PICKED_UP}" for run in waiting),
    )


async def _resumed(journal: SQLiteJournal, application: str) -> tuple[Pause, list[Run]]:
    if pause := await journal.resume(application):
        return pause, (await journal.recent(10, application, RunState.ACCEPTED))[::-1]
    names = ", ".join(pause.application for pause in await journal.pauses()) or "nothing"
    raise DuctTapeError(f"{escaped(application)!r} is not paused; paused is: {names}")
