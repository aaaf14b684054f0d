"""The service: looks, starts deploys, and stops when it is told to."""

from __future__ import annotations

import asyncio
import logging
import math
import signal
import time

from attrs import evolve

from duct_tape.listener.applications import Applications
from duct_tape.listener.claims import Order
from duct_tape.listener.deploy import CANNOT_START, Deploy, describe
from duct_tape.listener.inbox import Inbox
from duct_tape.listener.lanes import Lanes
from duct_tape.listener.output import Log
from duct_tape.listener.settings import Settings
from duct_tape.listener.spool import Spool
from duct_tape.results import Result

# Nobody has to look after these.
GOOD = frozenset({"deployed", "superseded", "cancelled"})
# Between two looks into a volume that holds more than one look takes; others have their turn meanwhile.
BREATH = 0.05

log = logging.getLogger(__name__)


async def listen(settings: Settings, *, once: bool = False) -> bool:
    """Answer flags until SIGTERM or SIGINT, or with ``once`` those that are there now.

    :returns: whether everything was deployed.
    :raises StartupError: a sentence on why this cannot begin.
    """
    settings.check()
    listener = Listener(settings, Spool.open(settings.volume), events=not once)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, listener.stop)
    try:
        await (listener.once() if once else listener.serve())
    finally:
        listener.close()
    return listener.all_deployed


class Listener:
    """Holds the inbox, the lanes and the running deploys together, on one event loop and in one thread."""

    def __init__(self, settings: Settings, spool: Spool, *, events: bool = True) -> None:
        self._settings = settings
        self._wake = asyncio.Event()
        self._stopping = False
        self._end = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        # How to end the deploy of a claim for good.
        self._cancels: dict[str, asyncio.Event] = {}
        self._lanes = Lanes(settings.concurrency)
        self._applications = Applications(settings.applications.absolute())
        self._inbox = Inbox(spool, self._applications, self._wake.set if events else None)
        self._failures = 0
        if doubt := spool.doubt():
            log.warning("%s", doubt)

    @property
    def all_deployed(self) -> bool:
        return not self._failures and not self._inbox.refusals and not self._inbox.mistaken

    async def serve(self) -> None:
        """Answer flags until ``stop`` is called."""
        log.info("answering flags in %s for %s", self._settings.volume, self._settings.applications)
        while not self._stopping:
            self._wake.clear()
            self._look()
            self._attend()
            self._start()
            await self._pause(BREATH if self._inbox.more else math.inf)
        await self._drain()

    async def once(self) -> None:
        """Answer the flags that are there now."""
        self._look()
        while not self._stopping:
            self._wake.clear()
            self._attend()
            self._start()
            if not self._tasks and not self._inbox.more:
                return
            await self._pause(BREATH if self._inbox.more else math.inf)
            if self._inbox.more:
                self._look()
        await self._drain()

    def stop(self) -> None:
        """Begin to stop: running deploys may end. The second time: end them."""
        if self._stopping:
            self._end.set()
        self._stopping = True
        self._wake.set()

    def close(self) -> None:
        self._inbox.close()

    def _look(self) -> None:
        orders = self._inbox.look(self._lanes.claim_ids())
        cancelled = self._inbox.attend({order.flag.run for order in orders} | self._lanes.runs()) if orders else ()
        for order in orders:
            # Before it could overtake another.
            if order.flag.run in cancelled:
                self._finish(order, _cancelled(order))
            elif order.late:
                self._finish(order, _superseded(order))
            elif older := self._lanes.offer(order):
                self._finish(older, _superseded(older))

    def _attend(self) -> None:
        """End what was cancelled: at once if it waits, and when its processes are gone if it runs."""
        cancelled = self._inbox.attend(self._lanes.runs())
        for order in self._lanes.waiting:
            if order.flag.run in cancelled:
                self._lanes.withdraw(order)
                self._finish(order, _cancelled(order))
        for order in self._lanes.running:
            event = self._cancels[order.claim.id]
            if order.flag.run in cancelled and not event.is_set():
                log.info("%s: cancelling %s", order.application, describe(order.flag))
                event.set()

    def _start(self) -> None:
        while order := self._lanes.next():
            self._cancels[order.claim.id] = asyncio.Event()
            task = asyncio.create_task(self._deploy(order))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._wake.set()

    async def _pause(self, most: float = math.inf) -> None:
        seconds = self._settings.poll if most <= 0 else min(most, self._settings.poll)
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _drain(self) -> None:
        if not self._tasks:
            return
        names = ", ".join(order.application for order in self._lanes.running)
        log.info("stopping; waiting up to %g s for %s", self._settings.grace, names)
        deadline = time.monotonic() + self._settings.grace
        while self._tasks:
            self._wake.clear()
            self._attend()
            if time.monotonic() >= deadline:
                self._end.set()
            await self._pause(deadline - time.monotonic())

    async def _deploy(self, order: Order) -> None:
        try:
            result = await self._carried_out(order)
        except Exception as error:  # One deploy's trouble must not become the others'.
            log.exception("%s: the listener itself failed", order.application)
            result = Result.unstarted(order.flag, "failed", f"the listener failed: {error}")
        self._lanes.done(order)
        del self._cancels[order.claim.id]
        if result:
            self._finish(order, result)
        else:
            self._failures += 1
            log.warning("%s: interrupted; it is deployed again at the next start", order.application)

    async def _carried_out(self, order: Order) -> Result | None:
        if reason := self._applications.problem(order.application):
            return Result.unstarted(order.flag, "refused", reason)
        return await Deploy(
            order=order,
            settings=self._settings,
            record=Log(self._inbox.open_log(order.flag.run)),
            report=self._inbox.report,
            stop=self._end,
            cancel=self._cancels[order.claim.id],
        ).run()

    def _finish(self, order: Order, result: Result) -> None:
        active = {order.flag.run for order in self._lanes.running}
        self._inbox.finish(order, result, active)
        _tell(order, result)
        self._failures += result.state not in GOOD


def _superseded(order: Order) -> Result:
    if not order.begun:
        sentence = f"a newer flag for {order.application} came before this one's turn"
        return Result.unstarted(order.flag, "superseded", sentence)
    sentence = f"it was interrupted, and a newer flag for {order.application} took its place"
    return evolve(Result.unstarted(order.flag, "superseded", sentence), started_at=order.begun)


def _cancelled(order: Order) -> Result:
    if not order.begun:
        return Result.unstarted(order.flag, "cancelled", "it was cancelled before its turn")
    sentence = "it was interrupted, and cancelled before it could be repeated"
    return evolve(Result.unstarted(order.flag, "cancelled", sentence), started_at=order.begun)


def _tell(order: Order, result: Result) -> None:
    words = [f"{result.application}: {result.state} {describe(order.flag)}"]
    if result.exit_code:
        words.append(f"with exit code {result.exit_code}")
    if result.duration is not None:
        words.append(f"after {result.duration:.1f} s")
    if result.state in GOOD:
        log.info("%s", " ".join(words))
    elif result.started_at is None or result.output.startswith(CANNOT_START):
        log.warning("%s: %s", " ".join(words), result.output)
    else:
        log.warning("%s; its output is in .results/%s.log", " ".join(words), result.run)
