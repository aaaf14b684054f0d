"""``duct-tape deliveries``."""

from __future__ import annotations

from pathlib import Path

import attrs
import click

from duct_tape.cli.journal import moment, with_journal
from duct_tape.cli.options import config_option, json_option, limit_option, print_json, print_table
from duct_tape.journal import Recorded
from duct_tape.logs import escaped

COLUMNS = ("received_at", "integration", "event", "repository", "state", "reason", "delivery")


@click.group("deliveries", invoke_without_command=True, epilog="Example: duct-tape deliveries list --limit 5")
@click.pass_context
def command(ctx: click.Context) -> None:
    """List what senders delivered, and why it was ignored.

    Works beside a running server. Without a command it lists.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_command)


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


def _row(delivery: Recorded) -> dict[str, str]:
    event = f"{delivery.event} {delivery.action}".strip()
    return {
        "received_at": moment(delivery.received_at),
        "integration": delivery.instance,
        "event": escaped(event),
        "repository": escaped(delivery.repository)[:60],
        "state": delivery.state,
        "reason": escaped(delivery.reason)[:100],
        "delivery": delivery.delivery,
    }
