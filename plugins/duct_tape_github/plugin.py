"""The GitHub integration: versions of configured repositories become runs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import AbstractAsyncContextManager

from attrs import evolve

from duct_tape.api import (
    Check,
    Context,
    PermanentError,
    Problem,
    RawDelivery,
    Receiver,
    ReceiverRoute,
    Run,
    Runs,
    Sample,
    hookimpl,
    matching,
    repository_path,
    samples,
)
from duct_tape_github import background, receive
from duct_tape_github.addresses import NAME
from duct_tape_github.conf import GitHubConf, Repository
from duct_tape_github.preflight import check_api
from duct_tape_github.sample import payload_of

DUCT_TAPE_API = (1, 0)

# What GitHub's schema lets be null in a published release, of what people put into templates.
NULLABLE = ("name", "author", "body")
DEFAULT = 'GitHub sends null there: use `| default("…")`'


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
    """What the check of all integrations cannot know: what GitHub leaves out, and what its API is told."""
    found = [problem for name in ctx.config.repositories for problem in check_nulls(ctx, name)]
    return [*found, *check_api(ctx)]


def receiver(conf: GitHubConf) -> Receiver:
    """The integration's pure functions for one configuration."""
    kinds = conf.kinds
    return Receiver(
        verifier=receive.verifier(conf.secrets),
        parse=lambda delivery: receive.parse(delivery, kinds),
        decide=conf.decide,
        simulated=receive.simulated,
        sample=lambda sample: sample_delivery(sample, conf),
    )


def check_nulls(ctx: Context, name: str) -> list[Problem]:
    """What would go wrong with a release of this repository of which GitHub does not tell everything."""
    repository: Repository = ctx.config.repositories[name]
    if "release" not in repository.on:
        return []
    # A sample's tag may miss its pattern, or a filter; no template may be left unrendered because of that.
    conf = evolve(ctx.config, repositories={name: evolve(repository, tags=(), when=None)})
    path = f"plugins.{ctx.name}.{repository_path(name)}"
    found: dict[str, Problem] = {}
    for sample in samples(evolve(conf, repositories={name: evolve(repository, on=("release",))})):
        # What fails for any release is not told again for one without a name.
        told = {trigger for trigger, _ in failing(ctx, conf, sample, ())}
        for stage in ([(key,) for key in NULLABLE], [NULLABLE]):
            failures = [(nulls, *failure) for nulls in stage for failure in failing(ctx, conf, sample, nulls)]
            for nulls, trigger, text in failures:
                message = f"a release without {' and '.join(nulls)} would fail in trigger `{trigger}`: {text},"
                if trigger not in told:
                    found[message] = Problem(message=message, path=path, hint=DEFAULT)
            told |= {trigger for _, trigger, _ in failures}
    return list(found.values())


def failing(ctx: Context, conf: GitHubConf, sample: Sample, nulls: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Trigger and reason of the runs that could not deploy a sample release of the one repository."""
    name, payload = payload_of(sample)
    payload["release"] |= dict.fromkeys(nulls)
    event = receive.parse(receive.simulated(name, json.dumps(payload).encode("utf-8")))
    decision = conf.decide(event)
    for planned in decision.runs if isinstance(decision, Runs) else ():
        try:
            ctx.preview(planned, event)
        except PermanentError as error:
            yield planned.trigger, str(error)


def sample_delivery(sample: Sample, conf: GitHubConf) -> RawDelivery:
    """What GitHub would send, unsigned."""
    repository = conf.repository(sample.repository)
    workflow = matching(repository.workflows[0]) if repository and repository.workflows else "CI"
    name, payload = payload_of(sample, workflow)
    return receive.simulated(name, json.dumps(payload).encode("utf-8"))
