"""Telling plugins that a run changed its state, without ever holding up the run."""

from __future__ import annotations

import asyncio
import logging

from duct_tape.plugins.instance import Instance
from duct_tape.plugins.isolation import PluginFailure, call_async
from duct_tape.plugins.registry import Registry
from duct_tape.runs import Run

log = logging.getLogger("duct_tape.observers")

SECONDS = 10.0
MAX_WAITING = 1000


class Observers:
    """The plugins with a ``ducttape_on_run`` hook.

    :param seconds: how long one call may take.
    """

    def __init__(self, registry: Registry, seconds: float = SECONDS) -> None:
        self._registry = registry
        self._seconds = seconds
        self._queue: asyncio.Queue[Run] = asyncio.Queue(MAX_WAITING)

    def tell(self, run: Run) -> None:
        """Have all observers told, in the order of the calls of this method."""
        if not any("ducttape_on_run" in instance.hooks for instance in self._registry):
            return
        try:
            self._queue.put_nowait(run)
        except asyncio.QueueFull:
            log.error("observers are too slow: they are not told of run %s (%s)", run.id, run.state)

    async def work(self) -> None:
        """Tell observers until cancelled."""
        while True:
            run = await self._queue.get()
            await asyncio.gather(*(self._one(instance, run) for instance in self._registry))
            self._queue.task_done()

    async def settle(self) -> None:
        """Wait until all are told."""
        await self._queue.join()

    async def drain(self, seconds: float) -> None:
        """Wait until all are told, for at most ``seconds``."""
        try:
            async with asyncio.timeout(seconds):
                await self.settle()
        except TimeoutError:
            log.error("observers were not told everything before the server stopped")

    async def _one(self, instance: Instance, run: Run) -> None:
        hook = self._registry.hook(instance, "ducttape_on_run", run=run)
        if hook is None:
            return
        try:
            await call_async(hook, self._seconds)
        except PluginFailure as failure:
            instance.count("on_run", failure)
            log.error("plugin %s failed on run %s (%s): on_run: %s", instance.name, run.id, run.state, failure)
