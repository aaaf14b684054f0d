"""The GitHub integration: releases of configured repositories become runs."""

from __future__ import annotations

import json
from collections.abc import Iterable

import click

from duct_tape.api import (
    Context,
    PermanentError,
    Problem,
    RawDelivery,
    Receiver,
    ReceiverRoute,
    Runs,
    hookimpl,
)
from duct_tape_github import receive
from duct_tape_github.conf import GitHubConf
from duct_tape_github.decide import decide
from duct_tape_github.sample import release_payload

DUCT_TAPE_API = (1, 0)


@hookimpl
def ducttape_config_class() -> type:
    """The plugin's configuration."""
    return GitHubConf


@hookimpl
def ducttape_routes(ctx: Context) -> Iterable[ReceiverRoute]:
    """One route: the webhook's URL."""
    return [ReceiverRoute(receiver(ctx.config))]


@hookimpl
def ducttape_check(ctx: Context) -> Iterable[Problem]:
    """Render every template for a sample release of every repository, by the code that serves them."""
    return [problem for name in ctx.config.repositories for problem in check_repository(ctx, name)]


@hookimpl
def ducttape_commands(ctx: Context) -> Iterable[click.Command]:
    """``duct-tape github send``."""
    from duct_tape_github.commands import send_command

    return [send_command(ctx)]


def receiver(conf: GitHubConf) -> Receiver:
    """The integration's pure functions for one configuration."""

    def verify(delivery: RawDelivery) -> None:
        receive.verify(delivery, conf.secrets)

    return Receiver(
        verify=verify, parse=receive.parse, decide=lambda event: decide(event, conf), simulated=receive.simulated
    )


def check_repository(ctx: Context, name: str) -> list[Problem]:
    """What would go wrong with a release of this repository."""
    conf: GitHubConf = ctx.config
    repository = conf.repositories[name]
    # A tag that the patterns let through, as far as a sample can guess one.
    tag = repository.tags[0].replace("*", "1.0.0").replace("?", "1") if repository.tags else "v1.0.0"
    body = json.dumps(release_payload(name, tag=tag)).encode("utf-8")
    event = receive.parse(receive.simulated("release", body))
    decision = decide(event, conf)
    problems = []
    for planned in decision.runs if isinstance(decision, Runs) else ():
        try:
            ctx.preview(planned, event)
        except PermanentError as error:
            message = f"a release would fail in trigger `{planned.trigger}`: {error},"
            problems.append(Problem(message=message, path=f'plugins.{ctx.name}.repositories."{name}"'))
    return problems
