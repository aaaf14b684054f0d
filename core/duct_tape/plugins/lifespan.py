"""A plugin's lifespan, in a task of its own.

A context manager may hold a task group, and a task group whose task fails cancels the task that entered
it. That must not be a task of the server's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, cast

from duct_tape.plugins.instance import Instance
from duct_tape.plugins.isolation import PluginFailure, call_async, hanging
from duct_tape.plugins.registry import Registry

log = logging.getLogger("duct_tape.plugins")


@asynccontextmanager
async def plugin_lifespan(registry: Registry, instance: Instance, seconds: float) -> AsyncIterator[None]:
    """Enter the instance's lifespan and leave it again; whatever happens in it stays in it.

    :param seconds: how long leaving may take.
    """
    # Beside the event loop: while one hangs, signals are still heard.
    manager = await asyncio.to_thread(_manager, registry, instance)
    if manager is None:
        yield
        return
    entered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    leaving = asyncio.Event()
    task = asyncio.create_task(_live(manager, entered, leaving), name=f"lifespan {instance.name}")

    def ended(_: object) -> None:
        if not leaving.is_set():
            registry.switch_off(instance, "lifespan", _failure(task))

    task.add_done_callback(ended)
    try:
        await asyncio.wait({task, entered}, timeout=registry.seconds, return_when=asyncio.FIRST_COMPLETED)
        if not (task.done() or entered.done()):
            leaving.set()
            registry.switch_off(instance, "lifespan", hanging(registry.seconds))
            task.cancel()
        yield
    finally:
        leaving.set()
        if instance.on:
            await asyncio.wait({task}, timeout=seconds)
            failure = _failure(task) if task.done() else hanging(seconds)
            if not task.done() or task.cancelled() or task.exception():
                log.error("plugin %s failed when it was stopped: %s", instance.name, failure)
        task.cancel()


def _manager(registry: Registry, instance: Instance) -> AbstractAsyncContextManager[None] | None:
    found: Any = registry.call(instance, "ducttape_lifespan", None)
    kind = type(found)
    if found is None or (hasattr(kind, "__aenter__") and hasattr(kind, "__aexit__")):
        return cast("AbstractAsyncContextManager[None] | None", found)
    hint = "; mark it with @asynccontextmanager below @hookimpl" if kind.__name__.endswith("generator") else ""
    text = f"ducttape_lifespan must return an asynchronous context manager, and not {kind.__name__}{hint}"
    registry.switch_off(instance, "lifespan", PluginFailure(text, unexpected=False))
    return None


async def _live(
    manager: AbstractAsyncContextManager[None], entered: asyncio.Future[None], leaving: asyncio.Event
) -> None:
    async def live() -> None:
        async with manager:
            entered.set_result(None)
            await leaving.wait()

    await call_async(live, None)


def _failure(task: asyncio.Task[None]) -> PluginFailure:
    error = None if task.cancelled() else task.exception()
    if isinstance(error, PluginFailure):
        return error
    return PluginFailure("it ended while the server was running", unexpected=False)
