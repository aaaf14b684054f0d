"""What one instance does beside answering webhooks, from the server's start to its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from attrs import define

from duct_tape.api import Check, Context, Run, Secret
from duct_tape_github.addresses import NAME, Addresses, Network
from duct_tape_github.conf import GitHubConf
from duct_tape_github.errors import ApiError, Limited, explained
from duct_tape_github.lookup import Lookup, WebhookMissing
from duct_tape_github.missed import hook_checks
from duct_tape_github.reconcile import Reconciler
from duct_tape_github.reporter import Reporter
from duct_tape_github.rest import Api

# What is not told by then is told after the next start.
DRAIN_SECONDS = 1.0


@define(eq=False)
class Background:
    """The tasks of a running instance that has something to ask GitHub or to tell it."""

    api: Api
    reconciler: Reconciler | None
    reporter: Reporter | None
    addresses: Addresses | None

    @classmethod
    def of(cls, ctx: Context) -> Background | None:
        """What the configuration asks for; None if that is nothing."""
        conf: GitHubConf = ctx.config
        listed = NAME in ctx.allow_from
        if conf.token is None and not listed:
            return None
        api = Api(conf.api_url, conf.token)
        return cls(
            api=api,
            reconciler=Reconciler(ctx, api) if conf.token and conf.reconcile.enabled else None,
            reporter=Reporter(ctx, api) if conf.deployments else None,
            addresses=Addresses(ctx, api) if listed else None,
        )

    async def work(self) -> None:
        """Until cancelled."""
        async with self.api, asyncio.TaskGroup() as group:
            for part in (self.reconciler, self.reporter, self.addresses):
                if part is not None:
                    group.create_task(part.work())

    async def drain(self) -> None:
        """Have GitHub told what there is to tell, as far as that is quick."""
        if self.reporter is not None:
            await self.reporter.drain(DRAIN_SECONDS)


# Of the running instances. The other hooks are given nothing but the context.
_RUNNING: dict[Context, Background] = {}


@asynccontextmanager
async def running(ctx: Context) -> AsyncIterator[None]:
    """The instance's lifespan."""
    background = Background.of(ctx)
    if background is None:
        yield
        return
    _RUNNING[ctx] = background
    task = asyncio.create_task(background.work(), name=f"background of {ctx.name}")
    task.add_done_callback(lambda task: _report(ctx, task))
    try:
        yield
        await background.drain()
    finally:
        del _RUNNING[ctx]
        task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await task


def tell(ctx: Context, run: Run) -> None:
    """A run has a new state."""
    if (background := _RUNNING.get(ctx)) and background.reporter:
        background.reporter.tell(run)


def health(ctx: Context) -> list[Check]:
    """What is known already; nobody is asked."""
    background = _RUNNING.get(ctx)
    if background is None:
        return []
    found = background.reconciler.checks() if background.reconciler else []
    return [*found, background.addresses.check()] if background.addresses else found


def addresses(ctx: Context) -> tuple[Network, ...] | None:
    """The networks that ``allow_from`` calls ``github``; None as long as nobody knows them."""
    background = _RUNNING.get(ctx)
    return background.addresses.networks if background and background.addresses else None


def examine(ctx: Context) -> list[Check]:
    """Ask GitHub whether the webhooks are as they should be, for ``duct-tape doctor``."""
    conf: GitHubConf = ctx.config
    if conf.token is None or not (conf.reconcile.enabled and conf.reconcile.deliveries):
        return []
    return asyncio.run(_examined(ctx, conf, conf.token))


async def _examined(ctx: Context, conf: GitHubConf, token: Secret) -> list[Check]:
    found: list[Check] = []
    async with Api(conf.api_url, token, seconds=5.0) as api:
        for name, repository in conf.named.items():
            try:
                found += hook_checks(name, await Lookup(ctx, api, name, repository).hook(), repository.on)
            except WebhookMissing as error:
                found.append(Check(name=f"webhook of {name}", healthy=False, detail=str(error)))
            except ApiError as error:
                told = explained(error, f"the webhooks of {name}", "*Webhooks: read*", token.source)
                found.append(Check(name=f"webhook of {name}", healthy=False, detail=told))
                if isinstance(error, Limited):
                    break
    return [*found, *_left_out(conf)]


def _left_out(conf: GitHubConf) -> list[Check]:
    detail = "its missed releases are not found: that needs the name of a repository, and of its application"
    left_out = [name for name, repository in conf.repositories.items() if "release" in repository.on]
    return [
        Check(name=f"catching up with {name}", healthy=True, detail=detail)
        for name in left_out
        if name not in conf.caught_up
    ]


def _report(ctx: Context, task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        ctx.log.error("nothing more is asked of GitHub or told it (%s: %s)", type(error).__name__, error)
