"""Messages about runs, through apprise."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from weakref import WeakKeyDictionary

import click

from duct_tape.api import Check, Context, Problem, Run, hookimpl
from duct_tape_notify.conf import NotifyConf
from duct_tape_notify.notifier import TIMING, Notifier, keyed
from duct_tape_notify.transport import ask, require_apprise

DUCT_TAPE_API = (1, 0)

# Those at work, from the start of a server to its end.
_NOTIFIERS: WeakKeyDictionary[Context, Notifier] = WeakKeyDictionary()


@hookimpl
def ducttape_config_class() -> type:
    """The plugin's configuration."""
    return NotifyConf


@hookimpl
def ducttape_setup(ctx: Context) -> None:
    """Look whether apprise is there; it is only imported by the process that sends."""
    require_apprise()


@hookimpl
def ducttape_lifespan(ctx: Context) -> AbstractAsyncContextManager[None]:
    """Deliver messages while the server runs."""

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        notifier = _NOTIFIERS[ctx] = Notifier(ctx, TIMING)
        try:
            async with notifier.at_work():
                yield
        finally:
            del _NOTIFIERS[ctx]

    return lifespan()


@hookimpl
async def ducttape_on_run(ctx: Context, run: Run) -> None:
    """Take the run in; nothing waits for the message."""
    if notifier := _NOTIFIERS.get(ctx):
        notifier.offer(run)


@hookimpl
def ducttape_health(ctx: Context) -> Iterable[Check]:
    """The receivers that had no luck, without a verdict."""
    notifier = _NOTIFIERS.get(ctx)
    return notifier.checks() if notifier else []


@hookimpl
def ducttape_check(ctx: Context) -> Iterable[Problem]:
    """Look at every URL without sending anything."""
    for (key, _), answer in zip(keyed(ctx.config.urls), asyncio.run(ask(keyed(ctx.config.urls))), strict=True):
        if why := answer.problem or answer.failure:
            message = f"no message can be sent to this URL: {why},"
            yield Problem(message=message, path=f"plugins.{ctx.name}.{key}", hint="the URL itself is not shown")


@hookimpl
def ducttape_commands(ctx: Context) -> Iterable[click.Command]:
    """``duct-tape notify test``."""
    from duct_tape_notify.commands import test_command

    return [test_command(ctx)]
