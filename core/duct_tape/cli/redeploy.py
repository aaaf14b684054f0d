"""``duct-tape redeploy``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from duct_tape.cli.journal import when, with_journal
from duct_tape.cli.options import config_option, json_option, print_outcome
from duct_tape.cli.runs import repeated, version
from duct_tape.errors import DuctTapeError
from duct_tape.journal.sqlite import SQLiteJournal
from duct_tape.logs import escaped
from duct_tape.runs import Run, RunState

# Enough to hold every trigger of a version, also after many attempts.
LIMIT = 1000


@click.command("redeploy", epilog="Example: duct-tape redeploy shop.example.com --tag v1.2.2")
@click.argument("application")
@click.option("--tag", help="The version to go to, one that was released before.  [default: the last good one]")
@config_option
@json_option
def command(application: str, tag: str | None, config: Path | None, as_json: bool) -> None:
    """Deploy an application again, or back to an earlier version. Works beside a running server.

    Without --tag it is the version that was deployed last. Your `bin/deploy` gets the tag and has to be able to
    go back to it.
    """

    async def question(journal: SQLiteJournal) -> tuple[Sequence[tuple[Run, str]], str]:
        repeats = [(run, await repeated(journal, run)) for run in await _of(journal, application, tag)]
        return repeats, await when(journal, application)

    repeats, then = with_journal(config, question)
    runs = [{"run": new, "repeats": old.id, "trigger": old.trigger, "version": version(old)} for old, new in repeats]
    sentences = [
        f"run {run['run']} deploys {run['version']} of {application} by trigger {run['trigger']}. {then}"
        for run in runs
    ]
    print_outcome(as_json, {"application": application, "runs": runs}, *sentences)


async def _of(journal: SQLiteJournal, application: str, tag: str | None) -> list[Run]:
    """The latest run of each trigger for the version.

    :raises DuctTapeError: nothing fits.
    """
    if tag is None:
        tag = await _last_good(journal, application)
    runs = await journal.recent(LIMIT, application, title=tag)
    if not runs:
        known = await journal.recent(LIMIT, application)
        tags = list(dict.fromkeys(run.event.release.tag for run in known if run.event.release))[:10]
        known_tags = escaped(", ".join(tags)) or "none"
        raise DuctTapeError(f"{escaped(application)} has no run of {escaped(tag)}; the latest are: {known_tags}")
    return list({run.trigger: run for run in reversed(runs)}.values())


async def _last_good(journal: SQLiteJournal, application: str) -> str:
    for state in (RunState.DEPLOYED, RunState.DONE):
        for run in await journal.recent(1, application, state):
            if run.event.release:
                return run.event.release.tag
    raise DuctTapeError(f"nothing of {application} was deployed yet; `duct-tape runs list` shows all runs")
