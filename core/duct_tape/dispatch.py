"""Dispatch: carrying runs out, one lane per application."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import TypeVar

from attrs import evolve

from duct_tape.assembly import Assembly
from duct_tape.errors import DuctTapeError, JournalError, PermanentError, TransientError
from duct_tape.journal import Acceptance, Journal, Lease
from duct_tape.observers import Observers
from duct_tape.plugins.isolation import PluginFailure, call_threaded, cancelled_from_outside
from duct_tape.plugins.watch import watched
from duct_tape.retry import RETRY, Again, Retry
from duct_tape.runs import UNSUCCESSFUL, Outcome, Refusal, Run, RunState

T = TypeVar("T")

log = logging.getLogger("duct_tape.dispatch")

# How often the journal is asked for what another process changed, and for runs whose time has come.
ATTEND_SECONDS = 1.0
LEASE_SECONDS = 60.0
# The journal's clock and the event loop's are not the same.
SLACK = 0.02


class Dispatcher:
    """Carries runs out: those of one application in order, those of different ones beside each other.

    The journal is the queue. Here is only what this process is at work on.
    """

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
        self.lease = Lease(holder=secrets.token_hex(8), seconds=LEASE_SECONDS, horizon=retry.cap)
        self._lanes: set[asyncio.Task[None]] = set()
        self._at_work: set[str] = set()
        self._strays: set[str] = set()
        self._closing = asyncio.Event()

    async def recover(self) -> int:
        """Take up what an earlier process accepted and did not carry out; returns how many runs that were."""
        runs = await self._journal.unfinished()
        for run in runs:
            self._observers.tell(run)
        self._begin(await self._journal.claim(self.lease))
        return len(runs)

    def submit(self, accepted: Acceptance) -> None:
        """Carry out what the journal has accepted for this process."""
        for run in (*accepted.superseded, *accepted.runs):
            self._told(run)
        self._begin(accepted.claimed)

    async def attend(self, seconds: float = ATTEND_SECONDS) -> None:
        """Carry out what commands such as ``duct-tape redeploy`` accepted beside this process, until cancelled."""
        beat = time.monotonic()
        while True:
            await asyncio.sleep(seconds)
            try:
                await self.look()
                await self._let_go()
                if self._lanes and time.monotonic() - beat > LEASE_SECONDS / 4:
                    beat = time.monotonic()
                    await self._journal.heartbeat(self.lease)
            except JournalError as error:
                log.error("%s", error)
            except Exception:
                # Whatever it is: all that waits depends on this.
                log.exception("what waits was not looked at; the next look follows")

    async def look(self) -> None:
        """Tell of what commands changed, and begin what is due."""
        for run in await self._journal.untold():
            self._observers.tell(run)
        self._begin(await self._journal.claim(self.lease))

    async def _let_go(self) -> None:
        """Give back what the journal has under this holder's name, and nobody here knows of.

        A commit that was told to have failed may be on disk all the same. Twice seen, since what was accepted just
        now is on its way to its lane.
        """
        held = set(await self._journal.held(self.lease)) - self._at_work
        if strays := held & self._strays:
            log.warning("taking up once more: %s", ", ".join(sorted(strays)))
            await self._journal.release(self.lease, strays)
        self._strays = held - strays

    async def settle(self) -> None:
        """Wait until nothing is to do and all observers are told."""
        while self._lanes:
            await asyncio.wait(self._lanes)
        await self._observers.settle()

    async def close(self, seconds: float) -> None:
        """Let the runs in flight end, for at most ``seconds``; what is left stays accepted in the journal."""
        self._closing.set()
        if self._lanes:
            _, pending = await asyncio.wait(self._lanes, timeout=seconds)
            for lane in pending:
                lane.cancel()

    def _begin(self, claimed: Iterable[Run]) -> None:
        for run in claimed:
            self._at_work.add(run.id)
            self._spawn(self._lane(run), run.application)

    def _spawn(self, work: Coroutine[None, None, None], application: str) -> None:
        task = asyncio.create_task(work, name=f"lane {application}")
        self._lanes.add(task)
        task.add_done_callback(self._lanes.discard)

    async def _lane(self, run: Run) -> None:
        """Carry out a run, and whatever waits behind it."""
        claimed = [run]
        while claimed and not self._closing.is_set():
            [run] = claimed
            self._at_work.add(run.id)
            try:
                claimed = await self._carry_out(run)
            except Exception:
                log.exception("run %s was left for the next start", run.id)
                claimed = await self._put_aside(run, "Duct Tape itself failed, and its log tells more")
            finally:
                self._at_work.discard(run.id)

    async def _claimed(self, application: str) -> list[Run]:
        try:
            return await self._journal.claim(self.lease, application)
        except JournalError as error:
            # The attendant asks again.
            log.error("%s", error)
            return []

    async def _later(self, run: Run, seconds: float) -> None:
        """Go on with a lane after a while."""
        await self._pause(seconds + SLACK)
        if not self._closing.is_set():
            self._begin(await self._claimed(run.application))

    async def _carry_out(self, run: Run) -> list[Run]:
        """Carry out a run; returns what was taken up next in its lane."""
        if self._assembly.is_off(run.trigger):
            log.error("run %s waits for the next start: the plugin behind `%s` is off", run.id, run.trigger)
            return await self._put_aside(run, f"the plugin behind `{run.trigger}` is off: it waits for the next start")
        if refusal := await self._refusal(run):
            return await self._finish(run, Outcome(state=RunState.REFUSED, detail=refusal))
        outcome = await self._attempt(run)
        if isinstance(outcome, Outcome):
            return await self._finish(run, outcome)
        return await self._again(run, outcome)

    async def _put_aside(self, run: Run, detail: str) -> list[Run]:
        await self._record(lambda: self._journal.hold(run.id, detail))
        return await self._claimed(run.application)

    async def _again(self, run: Run, attempt: Again) -> list[Run]:
        """Try once more after a while, unless something newer waits."""
        failed = await self._record(lambda: self._journal.fail(run.id, attempt.detail, attempt.wait))
        if failed is None or failed.state is RunState.ACCEPTED:
            self._spawn(self._later(run, attempt.wait), run.application)
            return []
        self._told(failed)
        return await self._claimed(run.application)

    def _told(self, run: Run) -> None:
        if run.state is not RunState.ACCEPTED:
            _tell(run)
        self._observers.tell(run)

    async def _attempt(self, run: Run) -> Outcome | Again:
        """What the attempt came to."""
        trigger = self._assembly.triggers.get(run.trigger)
        if trigger is None:
            return Outcome(state=RunState.FAILED, detail=f"there is no trigger `{run.trigger}` any more")
        try:
            outcome: object = await watched(trigger.perform(run))
            if not isinstance(outcome, Outcome) or outcome.state is RunState.ACCEPTED:
                raise TypeError(f"the action `{trigger.action_name}` came to no outcome")
            return outcome
        except PermanentError as error:
            return Outcome(state=RunState.FAILED, detail=str(error))
        except BaseException as error:
            # An action may raise anything, and the lane goes on.
            if isinstance(error, asyncio.CancelledError) and cancelled_from_outside():
                raise
            # A sentence of ours needs no class in front of it.
            name = "" if isinstance(error, DuctTapeError) else f"{type(error).__name__}: "
            detail = f"{name}{error}"[:500]
            log.warning("run %s, attempt %d: %s", run.id, run.attempts + 1, detail)
            if self._retry.last(run, error, time.time()):
                return Outcome(state=RunState.FAILED, detail=detail)
            after = error.after if isinstance(error, TransientError) else 0.0
            return Again(detail, self._retry.wait(run.attempts + 1, after))

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
                instance.count("before_run", failure)
                log.error("plugin %s failed before run %s, so the run is refused: %s", instance.name, run.id, failure)
                return f"plugin {instance.name} failed before the run: {failure}"
            if isinstance(answer, Refusal):
                return f"{instance.name}: {answer.reason}"
            if answer is not None:
                log.error("plugin %s gave no answer before run %s, so the run is refused", instance.name, run.id)
                return f"plugin {instance.name} answered with neither a Refusal nor None"
        return ""

    async def _finish(self, run: Run, outcome: Outcome) -> list[Run]:
        state, detail, result = outcome.state, outcome.detail, outcome.result
        run = evolve(run, state=state, detail=detail, result=result, attempts=run.attempts + 1)
        _tell(run)
        claimed = await self._record(
            lambda: self._journal.finish(run.id, state, detail, outcome.supersedes, self.lease, result)
        )
        if self._flagged:
            self._flagged(run, outcome.supersedes)
        self._observers.tell(run)
        return claimed or []

    async def _record(self, write: Callable[[], Awaitable[T]]) -> T | None:
        """Write to the journal until it works: the effect is there already, so giving up would repeat it."""
        attempts = 0
        while True:
            try:
                return await write()
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


def _tell(run: Run) -> None:
    level = logging.ERROR if run.state in UNSUCCESSFUL else logging.INFO
    log.log(level, "%s: run %s for %s: %s", run.state, run.id, run.application, run.detail)
