"""``duct-tape deliveries``."""

from __future__ import annotations

from pathlib import Path

import attrs
import click

from duct_tape.cli.journal import moment, with_journal
from duct_tape.cli.options import config_option, json_option, limit_option, print_json, print_table
from duct_tape.cli.replay import replay_command, stored, with_event
from duct_tape.cli.runs import described
from duct_tape.journal import Recorded, Stored
from duct_tape.logs import escaped

COLUMNS = ("received_at", "delivery", "state", "integration", "event", "repository", "reason")


@click.group("deliveries", invoke_without_command=True, epilog="Example: duct-tape deliveries list --limit 5")
@click.pass_context
def command(ctx: click.Context) -> None:
    """List what senders delivered, show one delivery, or replay it.

    Works beside a running server. Without a command it lists.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_command)


command.add_command(replay_command)


@command.command("list", epilog="Example: duct-tape deliveries list --json")
@limit_option
@config_option
@json_option
def list_command(limit: int, config: Path | None, as_json: bool) -> None:
    """List the latest deliveries, newest first.

    Duplicates are listed once. What was refused is not listed: nothing of it is stored.
    """
    found = with_journal(config, lambda journal: journal.deliveries(limit))
    if as_json:
        print_json({"deliveries": [attrs.asdict(delivery) for delivery in found]})
    else:
        print_table([_row(delivery) for delivery in found], COLUMNS)


@command.command("show", epilog="Example: duct-tape deliveries show 72d3162e-cc78-11e3-81ab-4c9367dc0958 --payload")
@click.argument("delivery")
@click.option("--payload", is_flag=True, help="Print what the sender sent, as JSON, and nothing else.")
@config_option
@json_option
def show_command(delivery: str, payload: bool, config: Path | None, as_json: bool) -> None:
    """Show everything about one delivery, and the runs that it made."""
    found = stored(config, delivery)
    if payload:
        for item in found:
            print_json(with_event(item).payload)
    elif as_json:
        print_json({"deliveries": [_described(item) for item in found]})
    else:
        for item in found:
            _print(item)


def _row(delivery: Recorded) -> dict[str, str]:
    event = f"{delivery.event} {delivery.action}".strip()
    return {
        "received_at": moment(delivery.received_at),
        "integration": delivery.instance,
        "event": event,
        "repository": delivery.repository,
        "state": delivery.state,
        "reason": delivery.reason,
        "delivery": delivery.delivery,
    }


def _described(item: Stored) -> dict[str, object]:
    return {
        **attrs.asdict(item.recorded),
        "kept": item.event is not None,
        "runs": [described(run) for run in item.runs],
    }


def _print(item: Stored) -> None:
    rows = _row(item.recorded)
    rows["payload"] = "kept; --payload prints it" if item.event else "kept no longer"
    for name, value in rows.items():
        if value:
            click.echo(f"{name + ':':<13} {escaped(value)}")
    for run in item.runs:
        click.echo(f"{'run:':<13} {run.id} {run.state} for {run.application}: {escaped(run.detail)}")
