"""``duct-tape pause``."""

from __future__ import annotations

import getpass
import os
import time
from pathlib import Path

import click

from duct_tape.cli.journal import moment, with_journal
from duct_tape.cli.options import config_option, json_option, print_json, print_table
from duct_tape.errors import DuctTapeError
from duct_tape.journal import Pause
from duct_tape.journal.sqlite import SQLiteJournal
from duct_tape.logs import escaped
from duct_tape.runs import Run, RunState

COLUMNS = ("application", "who", "since", "reason")


@click.command("pause", epilog="Example: duct-tape pause shop.example.com --reason 'the database moves'")
@click.argument("application", required=False)
@click.option("--reason", default="", help="Why, for those who wonder later.")
@click.option("--who", default=None, help="Who wants it.  [default: the user of this command]")
@config_option
@json_option
def command(application: str | None, reason: str, who: str | None, config: Path | None, as_json: bool) -> None:
    """Carry out no runs of an application until `duct-tape resume`. Works beside a running server.

    Releases are accepted all the same; of those that wait, the newest is deployed later. What is in the shared
    volume already, or running, is not stopped: `duct-tape cancel` does that. Without APPLICATION it lists what is
    paused.
    """
    if application is None:
        _list(with_journal(config, lambda journal: journal.pauses()), as_json)
        return
    if as_json:
        raise click.UsageError("--json lists what is paused, without APPLICATION")
    pause = Pause(application=application, who=who or user(), reason=reason, since=time.time())
    for run in with_journal(config, lambda journal: _paused(journal, pause)):
        click.echo(f"run {run.id} is {run.state} already; `duct-tape cancel {run.id}` stops it")
    click.echo(f"{application} is paused; `duct-tape resume {application}` ends that")


def user() -> str:
    """Who gives the command, also through sudo."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        # In a container the user often has no name.
        return f"user {os.getuid()}"


async def _paused(journal: SQLiteJournal, pause: Pause) -> list[Run]:
    """Pause, and say what that does not stop.

    :raises DuctTapeError: no run of this application was ever there.
    """
    if not await journal.recent(1, pause.application):
        known = sorted({run.application for run in await journal.recent(1000)})
        names = ", ".join(known[:10]) or "none"
        raise DuctTapeError(f"nothing of {escaped(pause.application)!r} was ever accepted here; known are: {names}")
    await journal.pause(pause)
    states = (RunState.FLAGGED, RunState.DEPLOYING)
    return [run for state in states for run in await journal.recent(10, pause.application, state)]


def _list(pauses: list[Pause], as_json: bool) -> None:
    rows = [
        {"application": pause.application, "who": pause.who, "since": moment(pause.since), "reason": pause.reason}
        for pause in pauses
    ]
    if as_json:
        print_json({"pauses": rows})
    elif rows:
        print_table([{name: escaped(value) for name, value in row.items()} for row in rows], COLUMNS)
    else:
        click.echo("nothing is paused")
