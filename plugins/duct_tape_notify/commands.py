"""``duct-tape notify test``: does a message arrive?"""

from __future__ import annotations

import asyncio
from typing import get_args

import click
from attrs import evolve

from duct_tape.api import Context
from duct_tape_notify.conf import NotifyConf, Outcome
from duct_tape_notify.message import compose, sample
from duct_tape_notify.notifier import keyed
from duct_tape_notify.transport import ask


def test_command(ctx: Context) -> click.Command:
    """The command for one instance."""

    @click.command("test", epilog=f"Example: duct-tape {ctx.name} test")
    @click.option("--application", help="The application that the message names.")
    @click.option("--state", type=click.Choice(get_args(Outcome)), help="The outcome that it tells.  [default: failed]")
    def command(application: str | None, state: str | None) -> int:
        """Send a test message to every receiver, now.

        Exit code 1 if any of them did not take it.
        """
        conf: NotifyConf = ctx.config
        variables = sample(application, state)
        message = compose(conf.title, conf.message, variables, "info")
        message = evolve(message, title=f"Test: {message.title}")
        failed = 0
        for url in keyed(conf.urls):
            [answer] = asyncio.run(ask([url], message))
            failed += bool(answer.failure)
            click.echo(f"{answer.name}: {answer.failure or 'accepted'}")
        return 1 if failed else 0

    return command
