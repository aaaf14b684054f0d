"""``duct-tape runs``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from duct_tape.assembly import new_run_id
from duct_tape.cli.follow import follow_command
from duct_tape.cli.journal import LOOKED_AT, existing, explained, moment, unknown, when, with_journal
from duct_tape.cli.options import config_option, json_option, limit_option, print_json, print_outcome, print_table
from duct_tape.cli.pause import user
from duct_tape.errors import DuctTapeError
from duct_tape.journal.sqlite import SQLiteJournal
from duct_tape.logs import escaped
from duct_tape.runs import REPEATABLE, Run, RunState

COLUMNS = ("run", "state", "application", "version", "created_at", "detail")


@click.group("runs", invoke_without_command=True, epilog="Example: duct-tape runs list --application shop.example.com")
@click.pass_context
def command(ctx: click.Context) -> None:
    """List runs; show, follow, repeat or discard one.

    Works beside a running server. Without a command it lists.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_command)


@command.command("list", epilog="Example: duct-tape runs list --state failed --limit 5")
@click.option("--application", help="Only those of this application.")
@click.option("--state", type=click.Choice([str(state) for state in RunState]), help="Only those in this state.")
@click.option("--dead", is_flag=True, help="Only those that failed for good and ask for you.")
@limit_option
@config_option
@json_option
def list_command(
    application: str | None, state: str | None, dead: bool, limit: int, config: Path | None, as_json: bool
) -> None:
    """List the latest runs, newest first.

    With --dead it lists the dead letters: runs that failed and were neither repeated nor discarded, nor followed by
    one that went well.
    """
    if dead and state:
        raise click.UsageError("--dead and --state exclude each other")
    wanted = RunState(state) if state else None

    async def question(journal: SQLiteJournal) -> tuple[list[Run], str]:
        found = await (journal.dead(limit, application) if dead else journal.recent(limit, application, wanted))
        return await explained(journal, found), await unknown(journal, application) if application else ""

    runs, nobody = with_journal(config, question)
    if as_json:
        print_json({"runs": [described(run) for run in runs]})
    elif nobody:
        click.echo(escaped(nobody), err=True)
    else:
        print_table([described(run) for run in runs], COLUMNS)


@command.command("show", epilog="Example: duct-tape runs show 01a2094ef9f258cf547b")
@click.argument("run")
@config_option
@json_option
def show_command(run: str, config: Path | None, as_json: bool) -> None:
    """Show everything about one run, with the last lines of its deploy."""

    async def question(journal: SQLiteJournal) -> Run:
        return (await explained(journal, [await existing(journal, run)]))[0]

    found = described(with_journal(config, question), whole=True)
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
@json_option
def retry_command(run: str, config: Path | None, as_json: bool) -> None:
    """Carry out a run once more that failed, was refused, timed out, got lost or was cancelled."""

    async def question(journal: SQLiteJournal) -> tuple[Run, str, str]:
        found = await existing(journal, run)
        if found.state not in REPEATABLE:
            raise DuctTapeError(f"run {run} is {found.state}; `duct-tape redeploy {found.application}` deploys again")
        if newer := await _newer(journal, found):
            tag = version(found)
            raise DuctTapeError(
                f"run {run} of {tag} is older than run {newer.id}, which is {newer.state}; "
                f"`duct-tape redeploy {found.application} --tag {tag}` goes back to it"
            )
        return found, await repeated(journal, found), await when(journal, found.application)

    old, new, then = with_journal(config, question)
    facts = {"run": new, "repeats": run, "application": old.application, "version": version(old)}
    print_outcome(as_json, facts, f"run {new} repeats run {run}. {then}")


async def _newer(journal: SQLiteJournal, run: Run) -> Run | None:
    """A run for another version that came later, and waits or went well: a retry would take its place."""
    for other in await journal.recent(LOOKED_AT, run.application):
        if other.number <= run.number:
            return None
        other_version = other.event.release != run.event.release and other.event.release is not None
        if other_version and other.trigger == run.trigger and other.state not in REPEATABLE | {RunState.SUPERSEDED}:
            return other
    return None


@command.command("discard", epilog="Example: duct-tape runs discard 01a2094ef9f258cf547b --reason 'fixed by hand'")
@click.argument("run")
@click.option("--reason", default="nobody needs it any more", show_default=True, help="Why, for those who wonder.")
@config_option
@json_option
def discard_command(run: str, reason: str, config: Path | None, as_json: bool) -> None:
    """Put aside a run that failed: it is no dead letter any more."""

    async def question(journal: SQLiteJournal) -> None:
        found = await existing(journal, run)
        if not await journal.discard(run, f"discarded by {user()}: {reason}"):
            raise DuctTapeError(f"run {run} is {found.state}; only one that failed can be discarded")

    with_journal(config, question)
    print_outcome(as_json, {"run": run, "state": str(RunState.DISCARDED)}, f"run {run} is discarded")


command.add_command(follow_command)


def version(run: Run) -> str:
    """What the run deploys, for people."""
    return run.event.release.tag if run.event.release else run.event.name


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
