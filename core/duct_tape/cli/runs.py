"""``duct-tape runs``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from duct_tape.assembly import new_run_id
from duct_tape.cli.journal import PICKED_UP, moment, with_journal
from duct_tape.cli.options import config_option, json_option, limit_option, print_json, print_table
from duct_tape.errors import DuctTapeError
from duct_tape.journal.sqlite import SQLiteJournal
from duct_tape.logs import escaped
from duct_tape.runs import REPEATABLE, Run, RunState

COLUMNS = ("run", "state", "application", "version", "created_at", "detail")


@click.group("runs", invoke_without_command=True, epilog="Example: duct-tape runs list --application shop.example.com")
@click.pass_context
def command(ctx: click.Context) -> None:
    """List runs, show one, or repeat one that failed.

    Works beside a running server. Without a command it lists.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_command)


@command.command("list", epilog="Example: duct-tape runs list --state failed --limit 5")
@click.option("--application", help="Only those of this application.")
@click.option("--state", type=click.Choice([str(state) for state in RunState]), help="Only those in this state.")
@limit_option
@config_option
@json_option
def list_command(application: str | None, state: str | None, limit: int, config: Path | None, as_json: bool) -> None:
    """List the latest runs, newest first."""
    wanted = RunState(state) if state else None
    runs = with_journal(config, lambda journal: journal.recent(limit, application, wanted))
    if as_json:
        print_json({"runs": [described(run) for run in runs]})
    else:
        print_table([{**described(run), "detail": escaped(run.detail)[:100]} for run in runs], COLUMNS)


@command.command("show", epilog="Example: duct-tape runs show 01a2094ef9f258cf547b")
@click.argument("run")
@config_option
@json_option
def show_command(run: str, config: Path | None, as_json: bool) -> None:
    """Show everything about one run, with the last lines of its deploy."""
    found = described(with_journal(config, lambda journal: existing(journal, run)), whole=True)
    if as_json:
        print_json(found)
        return
    output = found.pop("output")
    for name, value in found.items():
        if value not in (None, ""):
            click.echo(f"{name + ':':<13} {escaped(str(value))}")
    for line in (output or "").splitlines():
        click.echo(f"  | {escaped(line)}")


@command.command("retry", epilog="Example: duct-tape runs retry 01a2094ef9f258cf547b")
@click.argument("run")
@config_option
def retry_command(run: str, config: Path | None) -> None:
    """Carry out a run once more that failed, was refused, timed out, got lost or was cancelled."""

    async def question(journal: SQLiteJournal) -> str:
        found = await existing(journal, run)
        if found.state not in REPEATABLE:
            raise DuctTapeError(f"run {run} is {found.state}; `duct-tape redeploy {found.application}` deploys again")
        return await repeated(journal, found)

    click.echo(f"run {with_journal(config, question)} repeats run {run}. {PICKED_UP}")


async def existing(journal: SQLiteJournal, run: str) -> Run:
    """The run with that id.

    :raises DuctTapeError: there is none.
    """
    if found := await journal.find(run):
        return found
    raise DuctTapeError(f"there is no run {run[:100]!r}; `duct-tape runs list` shows them")


async def repeated(journal: SQLiteJournal, run: Run) -> str:
    """The id of a new run that does the same again."""
    again = new_run_id()
    await journal.redrive(run.id, again)
    return again


def described(run: Run, *, whole: bool = False) -> dict[str, Any]:
    """A run as data."""
    result, release = run.result, run.event.release
    row: dict[str, Any] = {
        "run": run.id,
        "state": str(run.state),
        "application": run.application,
        "version": release.tag if release else "",
        "created_at": moment(run.created_at),
        "detail": run.detail,
    }
    if not whole:
        return row
    return {
        **row,
        "trigger": run.trigger,
        "integration": run.instance,
        "repository": run.event.repository,
        "delivery": run.event.delivery,
        "attempts": run.attempts,
        "updated_at": moment(run.updated_at),
        "started_at": result.started_at if result else None,
        "finished_at": result.finished_at if result else None,
        "duration": result.duration if result else None,
        "exit_code": result.exit_code if result else None,
        "output": result.output if result else None,
    }
