"""``duct-tape notify test``: does a message arrive?"""

from __future__ import annotations

import asyncio
import json
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
    @click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
    def command(application: str | None, state: str | None, as_json: bool) -> int:
        """Send a test message to every receiver, now.

        Exit code 1 if any of them did not take it.
        """
        conf: NotifyConf = ctx.config
        variables = sample(application, state)
        message = compose(conf.title, conf.message, variables, "info")
        message = evolve(message, title=f"Test: {message.title}")
        answers, lines = [], []
        for url in keyed(conf.urls):
            [answer] = asyncio.run(ask([url], message))
            answers.append({"receiver": answer.name, "accepted": not answer.failure, "failure": answer.failure})
            lines.append(f"{answer.name}: {answer.failure or 'accepted'}")
            if not as_json:
                click.echo(lines[-1])
        if as_json:
            # As all commands of the core: what was done, and what a person is told.
            click.echo(json.dumps({"receivers": answers, "detail": "\n".join(lines)}, indent=2))
        return 0 if all(answer["accepted"] for answer in answers) else 1

    return command
