"""The GitHub integration: releases of configured repositories become runs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import AbstractAsyncContextManager

import click
from attrs import evolve

from duct_tape.api import (
    Check,
    Context,
    PermanentError,
    Problem,
    Receiver,
    ReceiverRoute,
    Run,
    Runs,
    hookimpl,
)
from duct_tape_github import background, receive
from duct_tape_github.addresses import NAME
from duct_tape_github.conf import GitHubConf, Repository, repository_path
from duct_tape_github.decide import decide
from duct_tape_github.preflight import check_api
from duct_tape_github.sample import release_payload

DUCT_TAPE_API = (1, 0)

# What GitHub's schema lets be null in a published release, of what people put into templates.
NULLABLE = ("name", "author", "body")
DEFAULT = 'GitHub sends null there: use `| default("…")`'

# A character class of a tag pattern, such as [0-9] or [!a].
_CLASS = re.compile(r"\[(?P<not>!?)(?P<first>.)[^]]*\]")


@hookimpl
def ducttape_config_class() -> type:
    """The plugin's configuration."""
    return GitHubConf


@hookimpl
def ducttape_routes(ctx: Context) -> Iterable[ReceiverRoute]:
    """One route: the webhook's URL."""
    senders = {NAME: lambda: background.addresses(ctx)}
    return [ReceiverRoute(evolve(receiver(ctx.config), senders=senders))]


@hookimpl
def ducttape_lifespan(ctx: Context) -> AbstractAsyncContextManager[None]:
    """With a token: catching up with GitHub, and telling it how runs stand. And asking for its addresses."""
    return background.running(ctx)


@hookimpl
async def ducttape_on_run(ctx: Context, run: Run) -> None:
    """Have GitHub told, without waiting for it."""
    background.tell(ctx, run)


@hookimpl
def ducttape_health(ctx: Context) -> Iterable[Check]:
    """What the last look at GitHub came to."""
    return background.health(ctx)


@hookimpl
def ducttape_doctor(ctx: Context) -> Iterable[Check]:
    """Whether the webhooks are as they should be."""
    return background.examine(ctx)


@hookimpl
def ducttape_check(ctx: Context) -> Iterable[Problem]:
    """Render every template for a sample release of every repository, by the code that serves them."""
    found = [problem for name in ctx.config.repositories for problem in check_repository(ctx, name)]
    return [*found, *check_api(ctx)]


@hookimpl
def ducttape_commands(ctx: Context) -> Iterable[click.Command]:
    """``duct-tape github send``."""
    from duct_tape_github.commands import send_command

    return [send_command(ctx)]


def receiver(conf: GitHubConf) -> Receiver:
    """The integration's pure functions for one configuration."""

    return Receiver(
        verifier=receive.verifier(conf.secrets),
        parse=receive.parse,
        decide=lambda event: decide(event, conf),
        simulated=receive.simulated,
    )


def check_repository(ctx: Context, name: str) -> list[Problem]:
    """What would go wrong with a release of this repository."""
    repository = ctx.config.repositories[name]
    # A sample's tag may miss its pattern; no template may be left unrendered because of that.
    conf = evolve(ctx.config, repositories={name: evolve(repository, tags=())})
    path = f"plugins.{ctx.name}.{repository_path(name)}"
    found: dict[str, Problem] = {}
    for tag, prerelease in samples(repository):
        told: set[str] = set()
        # What fails for any release is not told again for one without a name.
        for stage in ([()], [(key,) for key in NULLABLE], [NULLABLE]):
            failures = [(nulls, *failure) for nulls in stage for failure in failing(ctx, conf, tag, prerelease, nulls)]
            for nulls, trigger, text in failures:
                without = f" without {' and '.join(nulls)}" if nulls else ""
                message = f"a release{without} would fail in trigger `{trigger}`: {text},"
                if trigger not in told:
                    found[message] = Problem(message=message, path=path, hint=DEFAULT if nulls else "")
            told |= {trigger for _, trigger, _ in failures}
    return list(found.values())


def failing(
    ctx: Context, conf: GitHubConf, tag: str, prerelease: bool, nulls: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """Trigger and reason of the runs that could not deploy a sample release of the one repository."""
    [name] = conf.repositories
    payload = release_payload(name, tag=tag, prerelease=prerelease)
    payload["release"] |= dict.fromkeys(nulls)
    event = receive.parse(receive.simulated("release", json.dumps(payload).encode("utf-8")))
    decision = decide(event, conf)
    for planned in decision.runs if isinstance(decision, Runs) else ():
        try:
            ctx.preview(planned, event)
        except PermanentError as error:
            yield planned.trigger, str(error)


def samples(repository: Repository) -> list[tuple[str, bool]]:
    """Tag and prerelease of the releases to try: every pattern of tags, and prereleases where they are wanted."""
    tags = [matching(pattern) for pattern in repository.tags] or ["v1.0.0"]
    kinds = (False, True) if repository.prereleases else (False,)
    return [(tag, prerelease) for tag in tags for prerelease in kinds]


def matching(pattern: str) -> str:
    """A tag such as the pattern lets through, as far as that can be guessed."""
    tag = _CLASS.sub(lambda found: "x" if found["not"] else found["first"], pattern)
    return tag.replace("*", "1" if tag.count("*") > 1 else "1.0.0").replace("?", "1") or "v1.0.0"
