"""Dispatch: carrying runs out, one lane per application."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence

from attrs import evolve, frozen

from duct_tape.assembly import Assembly
from duct_tape.errors import JournalError, PermanentError, TransientError
from duct_tape.journal import Journal
from duct_tape.observers import Observers
from duct_tape.plugins.isolation import PluginFailure, call_threaded, cancelled_from_outside
from duct_tape.runs import UNSUCCESSFUL, Outcome, Refusal, Run, RunState

log = logging.getLogger("duct_tape.dispatch")

# Above it nothing more is accepted. A burst of releases is a few dozen.
MAX_WAITING = 10_000
# How often the journal is asked for runs that another process accepted.
ATTEND_SECONDS = 1.0
# Ids of runs that this process took up, so that none is taken up twice. Older ones have long ended.
MAX_SEEN = 2 * MAX_WAITING


@frozen(kw_only=True)
class Retry:
    """When a failed attempt is repeated.

    :param attempts: after so many the run fails, unless it is the machine's fault: a full disk or a volume that
        is not mounted may be mended in the morning.
    :param age: seconds after which a run fails all the same. A deploy that comes a day late surprises.
    :param base: seconds; the wait before attempt n is random between 0 and base * 2**n ("full jitter").
    :param cap: the longest wait in seconds.
    """

    attempts: int = 8
    age: float = 24 * 3600.0
    base: float = 0.5
    cap: float = 60.0

    def last(self, run: Run, error: BaseException, now: float) -> bool:
        """Whether the run fails with this error instead of being tried again."""
        if now - run.created_at >= self.age:
            return True
        return run.attempts + 1 >= self.attempts and not isinstance(error, OSError | TransientError)

    def wait(self, attempts: int) -> float:
        """Seconds before the next attempt, after ``attempts`` that failed."""
        return random.uniform(0, min(self.cap, self.base * 2 ** min(attempts, 30)))  # noqa: S311 - not a secret


RETRY = Retry()


class Dispatcher:
    """Carries runs out: those of one application in order, those of different ones beside each other."""

    def __init__(
        self,
        assembly: Assembly,
        journal: Journal,
        observers: Observers,
        retry: Retry = RETRY,
        flagged: Callable[[Run, Sequence[str]], None] | None = None,
    ) -> None:
        self._assembly = assembly
        self._journal = journal
        self._observers = observers
        self._retry = retry
        self._flagged = flagged
        self._waiting: dict[str, deque[Run]] = {}
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._closing = asyncio.Event()
        self._seen: dict[str, None] = {}

    async def recover(self) -> int:
        """Take up what an earlier process accepted and did not carry out; returns how many runs that were."""
        runs = await self._journal.unfinished()
        self.submit(runs)
        return len(runs)

    def submit(self, runs: Iterable[Run]) -> None:
        """Carry out runs that the journal has accepted."""
        for run in runs:
            if run.id in self._seen:
                continue
            self._seen[run.id] = None
            if len(self._seen) > MAX_SEEN:
                del self._seen[next(iter(self._seen))]
            self._observers.tell(run)
            self._waiting.setdefault(run.application, deque()).append(run)
            if run.application not in self._lanes and not self._closing.is_set():
                lane = asyncio.create_task(self._lane(run.application), name=f"lane {run.application}")
                self._lanes[run.application] = lane

    async def attend(self, seconds: float = ATTEND_SECONDS) -> None:
        """Carry out what commands such as ``duct-tape redeploy`` accepted beside this process, until cancelled."""
        while True:
            await asyncio.sleep(seconds)
            try:
                self.submit(await self._journal.unfinished())
            except JournalError as error:
                log.error("%s", error)

    @property
    def full(self) -> bool:
        """Whether so many runs wait that no more should be accepted."""
        return sum(map(len, self._waiting.values())) >= MAX_WAITING

    async def settle(self) -> None:
        """Wait until no run is waiting and all observers are told."""
        while self._lanes:
            await asyncio.wait(list(self._lanes.values()))
        await self._observers.settle()

    async def close(self, seconds: float) -> None:
        """Let the runs in flight end, for at most ``seconds``; what is left stays accepted in the journal."""
        self._closing.set()
        lanes = list(self._lanes.values())
        if lanes:
            _, pending = await asyncio.wait(lanes, timeout=seconds)
            for lane in pending:
                lane.cancel()

    async def _lane(self, application: str) -> None:
        waiting = self._waiting[application]
        try:
            while waiting and not self._closing.is_set():
                run = waiting.popleft()
                try:
                    await self._carry_out(run)
                except Exception:
                    # A fault of ours: the run stays accepted in the journal, and the lane goes on.
                    log.exception("run %s was left for the next start", run.id)
        finally:
            del self._lanes[application], self._waiting[application]

    async def _carry_out(self, run: Run) -> None:
        if self._assembly.is_off(run.trigger):
            log.error("run %s waits for the next start: the plugin behind `%s` is off", run.id, run.trigger)
            return
        if refusal := await self._refusal(run):
            await self._finish(run, Outcome(state=RunState.REFUSED, detail=refusal))
            return
        while not self._closing.is_set():
            outcome = self._overtaken(run) or await self._attempt(run)
            if outcome.state is not RunState.ACCEPTED:
                await self._finish(run, outcome)
                return
            run = evolve(run, attempts=run.attempts + 1, detail=outcome.detail)
            await self._record(self._journal.attempted, run.id, run.detail)
            await self._pause(self._retry.wait(run.attempts))

    def _overtaken(self, run: Run) -> Outcome | None:
        """The outcome of a run behind which a newer release of the same application waits."""
        for newer in self._waiting.get(run.application, ()):
            ours, theirs = run.event.release, newer.event.release
            if newer.trigger == run.trigger and ours and theirs and ours != theirs:
                detail = f"{theirs.tag} was accepted before its turn came (run {newer.id})"
                return Outcome(state=RunState.SUPERSEDED, detail=detail)
        return None

    async def _attempt(self, run: Run) -> Outcome:
        """What the attempt came to; state ``accepted`` stands for "try again"."""
        trigger = self._assembly.triggers.get(run.trigger)
        if trigger is None:
            return Outcome(state=RunState.FAILED, detail=f"there is no trigger `{run.trigger}` any more")
        try:
            outcome: object = await trigger.perform(run)
            if not isinstance(outcome, Outcome) or outcome.state is RunState.ACCEPTED:
                raise TypeError(f"the action `{trigger.action_name}` came to no outcome")
            return outcome
        except PermanentError as error:
            return Outcome(state=RunState.FAILED, detail=str(error))
        except (Exception, SystemExit, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and cancelled_from_outside():
                raise
            detail = f"{type(error).__name__}: {error}"[:500]
            last = self._retry.last(run, error, time.time())
            log.warning("run %s, attempt %d: %s", run.id, run.attempts + 1, detail)
            return Outcome(state=RunState.FAILED if last else RunState.ACCEPTED, detail=detail)

    async def _refusal(self, run: Run) -> str:
        """Why a plugin does not let the run start, or an empty string."""
        registry = self._assembly.registry
        for instance in registry:
            hook = registry.hook(instance, "ducttape_before_run", run=run)
            if hook is None and not instance.on and "ducttape_before_run" in instance.hooks:
                # Fails closed: what it would have refused, nobody knows.
                return f"plugin {instance.name}, which decides whether runs may start, is off"
            if hook is None:
                continue
            try:
                answer = await call_threaded(hook, registry.seconds)
            except PluginFailure as failure:
                log.error("plugin %s failed before run %s, so the run is refused: %s", instance.name, run.id, failure)
                return f"plugin {instance.name} failed before the run: {failure}"
            if isinstance(answer, Refusal):
                return f"{instance.name}: {answer.reason}"
            if answer is not None:
                log.error("plugin %s gave no answer before run %s, so the run is refused", instance.name, run.id)
                return f"plugin {instance.name} answered with neither a Refusal nor None"
        return ""

    async def _finish(self, run: Run, outcome: Outcome) -> None:
        level = logging.ERROR if outcome.state in UNSUCCESSFUL else logging.INFO
        log.log(level, "%s: run %s for %s: %s", outcome.state, run.id, run.application, outcome.detail)
        await self._record(self._journal.finish, run.id, outcome.state, outcome.detail, outcome.supersedes)
        run = evolve(run, state=outcome.state, detail=outcome.detail, attempts=run.attempts + 1)
        if self._flagged:
            self._flagged(run, outcome.supersedes)
        self._observers.tell(run)

    async def _record(self, write: Callable[..., Awaitable[None]], *arguments: object) -> None:
        """Write to the journal until it works: the effect is there already, so giving up would repeat it."""
        attempts = 0
        while True:
            try:
                return await write(*arguments)
            except JournalError as error:
                attempts += 1
                log.error("%s; trying again", error)
                if self._closing.is_set():
                    return None
                await self._pause(self._retry.wait(attempts))

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            pass
