"""``duct-tape pause``."""

from __future__ import annotations

import getpass
import os
import time
from pathlib import Path

import click

from duct_tape.cli.journal import moment, unknown, with_journal
from duct_tape.cli.options import config_option, json_option, print_json, print_outcome, print_table
from duct_tape.journal import Pause
from duct_tape.journal.sqlite import SQLiteJournal
from duct_tape.runs import RunState

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
    pause = Pause(application=application, who=who or user(), reason=reason, since=time.time())
    notes = with_journal(config, lambda journal: _paused(journal, pause))
    ends = f"{application} is paused; `duct-tape resume {application}` ends that"
    print_outcome(as_json, {**described(pause), "paused": True}, *notes, ends)


def user() -> str:
    """Who gives the command, also through sudo."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        # In a container the user often has no name.
        return f"user {os.getuid()}"


def described(pause: Pause) -> dict[str, str]:
    """A pause as data."""
    return {"application": pause.application, "who": pause.who, "since": moment(pause.since), "reason": pause.reason}


async def _paused(journal: SQLiteJournal, pause: Pause) -> list[str]:
    """Pause, and what to know about that."""
    name, notes = pause.application, []
    if nobody := await unknown(journal, name):
        notes.append(nobody)
    for old in await journal.pauses():
        if old.application == name:
            why = f": {old.reason}" if old.reason else ""
            notes.append(f"this takes the place of the pause by {old.who}, since {moment(old.since)}{why}")
    await journal.pause(pause)
    for state in (RunState.FLAGGED, RunState.DEPLOYING):
        runs = await journal.recent(10, name, state)
        notes += [f"run {run.id} is {state} already; `duct-tape cancel {run.id}` stops it" for run in runs]
    return notes


def _list(pauses: list[Pause], as_json: bool) -> None:
    rows = [described(pause) for pause in pauses]
    if as_json:
        print_json({"pauses": rows})
    elif rows:
        print_table(rows, COLUMNS)
    else:
        click.echo("nothing is paused")
