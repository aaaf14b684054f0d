"""The way of a message: from a run's end over the journal to every receiver, beside everything else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias, TypeVar

from attrs import define, field, frozen

from duct_tape.api import Check, Context, DuctTapeError, PermanentError, Run, Secret, Template
from duct_tape_notify.conf import NotifyConf
from duct_tape_notify.history import BAD, GOOD, RECOVERED, News, judge
from duct_tape_notify.message import TITLE, Message, compose, moment, variables_of
from duct_tape_notify.transport import Answer, ask

T = TypeVar("T")
Ask: TypeAlias = Callable[[Sequence[tuple[str, Secret]], Message | None], Awaitable[list[Answer]]]

# Runs and messages that wait; a receiver that was down all night does not get more than these.
MAX_WAITING = 100
# Seconds before the second, third and fourth attempt.
PAUSES = (2.0, 10.0, 30.0)
# Seconds for what waits when the server stops: a quarter of its own, by default two, is all that a plugin has.
GRACE = 1.5
# So many processes send at a time; each takes as much memory as the server.
MAX_PROCESSES = 2
# How many runs of an application the journal is asked for; each comes with its whole payload.
MAX_EARLIER = 50


@frozen(kw_only=True)
class Timing:
    """How patient a notifier is, in seconds; see the constants above."""

    pauses: Sequence[float] = PAUSES
    grace: float = GRACE


TIMING = Timing()


@define(eq=False)
class Parcel:
    """A message on its way to all receivers of one instance."""

    run: str
    message: Message
    left: int
    delivered: bool = False


@define(eq=False)
class Target:
    """Where messages go, with those that wait for it."""

    key: str
    url: Secret
    name: str = ""
    trouble: str = ""
    waiting: asyncio.Queue[Parcel] = field(factory=lambda: asyncio.Queue(MAX_WAITING))

    @property
    def shown(self) -> str:
        return self.name or self.key


class Notifier:
    """One instance at work.

    :param send: replaced in tests.
    """

    def __init__(self, ctx: Context, timing: Timing = TIMING, send: Ask = ask) -> None:
        self._ctx = ctx
        self._conf: NotifyConf = ctx.config
        self._timing = timing
        self._send = send
        self._runs: asyncio.Queue[tuple[Run, float]] = asyncio.Queue(MAX_WAITING)
        self._targets = [Target(key, url) for key, url in keyed(self._conf.urls)]
        self._missed: dict[str, None] = {}
        self._open: list[Parcel] = []
        self._processes = asyncio.Semaphore(MAX_PROCESSES)
        self._closing = asyncio.Event()

    def offer(self, run: Run) -> None:
        """Take in a run whose state changed. Returns at once."""
        known: set[str] = {run.state, *({RECOVERED} if run.state in GOOD else ())}
        if not known & set(self._conf.on) or (
            self._conf.applications and run.application not in self._conf.applications
        ):
            return
        if dropped := _put(self._runs, (run, time.time())):
            self._ctx.log.error("too many messages wait: run %s (%s) is not told", dropped[0].id, dropped[0].state)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Deliver until left; what waits then gets a short time."""
        workers = [self._look(), self._compose(), *(self._deliver(target) for target in self._targets)]
        tasks = [asyncio.create_task(worker) for worker in workers]
        try:
            yield
            await self._finish()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def checks(self) -> list[Check]:
        """Never unhealthy: a server that cannot tell still deploys. The details are for operators."""
        name = f"messages of {self._ctx.name}"
        troubles = "; ".join(f"{item.shown}: {item.trouble}" for item in self._targets if item.trouble)
        return [Check(name=name, healthy=True, detail=troubles)]

    async def _look(self) -> None:
        """Name the receivers, and say at the start which of them will not work."""
        try:
            async with self._processes:
                answers = await self._send([(item.key, item.url) for item in self._targets], None)
            for target, answer in zip(self._targets, answers, strict=True):
                target.name = answer.name
                if answer.problem:
                    self._trouble(target, f"its URL cannot be used: {answer.problem}")
                else:
                    self._ctx.log.info("messages go to %s", target.shown)
        except Exception as error:
            self._ctx.log.warning("nobody looked whether the URLs can be used (%s)", type(error).__name__)

    async def _compose(self) -> None:
        while True:
            run, now = await self._runs.get()
            try:
                if (news := await self._news(run, now)) and news.state in self._conf.on:
                    self._post(run, news)
            except Exception as error:
                # Whatever it is: the next run is told all the same.
                self._ctx.log.error("run %s is not told (%s)", run.id, type(error).__name__)
            finally:
                self._runs.task_done()

    async def _news(self, run: Run, now: float) -> News | None:
        try:
            earlier = await self._ctx.recent(MAX_EARLIER, run.application)
        except DuctTapeError as error:
            self._ctx.log.warning("run %s is told without a look at those before it: %s", run.id, error)
            earlier = []
        earlier = [other for other in earlier if other.updated_at <= now]
        news = judge(run, earlier, now, self._conf.repeat_after, self._missed, self._conf.bad)
        if news is None:
            self._ctx.log.info("%s %s as before, which is not told again so soon", run.application, run.state)
        elif news.state == RECOVERED and RECOVERED not in self._conf.on:
            return News(state=run.state, times=1, since=now)
        return news

    def _post(self, run: Run, news: News) -> None:
        variables = variables_of(run, news, self._conf.lines)
        kind = "failure" if run.state in BAD else "success" if run.state in GOOD else "info"
        try:
            message = compose(self._conf.title, self._conf.message, variables, kind)
        except PermanentError as error:
            # A message in other words is better than none.
            self._ctx.log.warning("run %s is told in the default words: %s", run.id, error)
            message = compose(Template(TITLE), None, variables, kind)
        parcel = Parcel(run.id, message, left=len(self._targets))
        self._open.append(parcel)
        for target in self._targets:
            if dropped := _put(target.waiting, parcel):
                self._ctx.log.error("too many messages wait for %s: %s is dropped", target.shown, dropped.message.about)
                self._done(dropped)

    async def _deliver(self, target: Target) -> None:
        while True:
            parcel = await target.waiting.get()
            try:
                await self._attempts(target, parcel)
            except Exception as error:
                self._trouble(target, f"{parcel.message.about} could not be sent ({type(error).__name__})")
            finally:
                self._done(parcel)
                target.waiting.task_done()

    async def _attempts(self, target: Target, parcel: Parcel) -> None:
        count = 0
        for pause in (*self._timing.pauses, None):
            count += 1
            async with self._processes:
                [answer] = await self._send([(target.key, target.url)], parcel.message)
            target.name = answer.name
            if not answer.failure:
                parcel.delivered, target.trouble = True, ""
                self._ctx.log.info("told %s: %s", target.shown, parcel.message.about)
                return
            if answer.problem or pause is None or self._closing.is_set():
                break
            with suppress(TimeoutError):
                # A server that stops does not wait, and tries once more.
                await asyncio.wait_for(self._closing.wait(), pause)
        tried = f" after {count} attempts" if count > 1 else ""
        self._trouble(target, f"{parcel.message.about} was not delivered{tried}: {answer.failure}")

    def _trouble(self, target: Target, text: str) -> None:
        target.trouble = f"{text} ({moment(time.time())})"
        self._ctx.log.error("%s: %s", target.shown, text)

    def _done(self, parcel: Parcel) -> None:
        parcel.left -= 1
        if parcel.left:
            return
        self._open.remove(parcel)
        if not parcel.delivered:
            # Nobody has learned of it, so the next failure of this kind is news.
            self._missed[parcel.run] = None
            if len(self._missed) > MAX_EARLIER:
                del self._missed[next(iter(self._missed))]

    async def _finish(self) -> None:
        self._closing.set()
        try:
            async with asyncio.timeout(self._timing.grace):
                await self._runs.join()
                for target in self._targets:
                    await target.waiting.join()
        except TimeoutError:
            lost = ", ".join(parcel.message.about for parcel in self._open) or "the latest runs"
            self._ctx.log.error("the server stopped before everybody was told: %s", lost)


def keyed(urls: Sequence[Secret]) -> list[tuple[str, Secret]]:
    """The URLs with their keys in the configuration."""
    return [(f"urls[{index}]", url) for index, url in enumerate(urls)]


def _put(queue: asyncio.Queue[T], item: T) -> T | None:
    """Put the item in; returns the oldest one where it had to make room."""
    dropped = None
    if queue.full():
        dropped = queue.get_nowait()
        queue.task_done()
    queue.put_nowait(item)
    return dropped
