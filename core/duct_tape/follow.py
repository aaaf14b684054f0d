"""Following: how the deploys of flagged runs end, as the listener tells it.

What the listener writes is untrusted: a result counts only for the run and the application that it names, and
only as long as the end of that run is up to the listener. A run that is lost may still turn up: a listener that
starts again deploys once more what it had begun.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence

from attrs import Factory, define, evolve

from duct_tape.conf.model import VolumeConf
from duct_tape.errors import JournalError
from duct_tape.hookspecs import Check
from duct_tape.journal import Journal
from duct_tape.observers import Observers
from duct_tape.results import Result
from duct_tape.runs import WITH_LISTENER, Run, RunState
from duct_tape.volume import Volume

log = logging.getLogger("duct_tape.follow")

# Nobody waits for a result in the way that a sender waits for an answer.
SECONDS = 1.0
# How long after its flag was replaced a run may still turn out to have been claimed just before.
GRACE = 10.0
# How long a lost run may still turn up.
LOST_SECONDS = 24 * 3600.0
# So many of the followed runs are compared with the journal in one look: commands change it, too.
COMPARED = 10
HEARTBEAT = ".listener.json"

FOLLOWED = WITH_LISTENER | {RunState.LOST}


@define
class _Followed:
    run: Run
    since: float
    warned: bool = False
    # What the listener said last of a deploy that goes on.
    said: Result | None = None


@define
class _Heart:
    """Whether the listener lives. Its heartbeat has to change; the clocks of the two sides are not compared."""

    seen: bytes | None = None
    since: float = Factory(time.monotonic)

    def hear(self, content: bytes | None) -> None:
        if content is not None and content != self.seen:
            self.seen, self.since = content, time.monotonic()

    def rest(self) -> None:
        """Nobody has listened to it for a while."""
        self.since = time.monotonic()

    @property
    def silent(self) -> float:
        return time.monotonic() - self.since


class Follower:
    """Reads results for the runs that are up to the listener, and records what they say.

    :param seconds: how often it looks.
    """

    def __init__(
        self, volume: Volume, journal: Journal, observers: Observers, conf: VolumeConf, seconds: float = SECONDS
    ) -> None:
        self._volume = volume
        self._journal = journal
        self._observers = observers
        self._conf = conf
        self._seconds = seconds
        self._followed: dict[str, _Followed] = {}
        # The latest run of each application that was deployed.
        self._ended: dict[str, Run] = {}
        self._wake = asyncio.Event()
        self._heart = _Heart()

    async def recover(self) -> None:
        """Take up the runs that an earlier process was following."""
        now = time.time()
        for run in await self._journal.with_listener():
            self._follow(run, max(0.0, now - run.updated_at))
        for application in {followed.run.application for followed in self._followed.values()}:
            for run in await self._journal.recent(1, application, RunState.DEPLOYED):
                self._ended[application] = run

    def flagged(self, run: Run, superseded: Iterable[str] = ()) -> None:
        """Follow a run whose flag was just left.

        :param superseded: runs whose flag it replaced. They are given up soon, unless a result shows that the
            listener had taken theirs in the same moment.
        """
        for old in superseded:
            if old in self._followed:
                followed = self._followed[old]
                followed.run = evolve(followed.run, state=RunState.SUPERSEDED)
                followed.since = time.monotonic()
        if run.state in WITH_LISTENER:
            self._follow(run, 0.0)

    def checks(self) -> list[Check]:
        """Whether a flag waits for a listener for too long, and whether the listener lives that others wait for."""
        late = sorted({followed.run.application for followed in self._followed.values() if followed.warned})
        detail = f"no listener takes the flags of {', '.join(late)}" if late else ""
        waiting = any(followed.run.state in FOLLOWED for followed in self._followed.values())
        alive = not waiting or self._heart.silent < self._conf.listener_timeout
        silence = "" if alive else f"the listener has given no sign of life for {lasting(self._heart.silent)}"
        return [
            Check(name="flags", healthy=not late, detail=detail),
            Check(name="heartbeat", healthy=alive, detail=silence),
        ]

    async def work(self) -> None:
        """Look until cancelled."""
        while True:
            if not self._followed:
                self._wake.clear()
                await self._wake.wait()
                self._heart.rest()
            try:
                await self.look()
            except (OSError, JournalError) as error:
                log.error("results cannot be followed at the moment: %s", error)
            except Exception:
                # Whatever a result holds: the ends of all other runs depend on this.
                log.exception("results cannot be followed at the moment")
            await asyncio.sleep(self._seconds)

    async def look(self) -> None:
        """Read the results that there are, once."""
        followed = list(self._followed.values())
        beat, *contents = await asyncio.to_thread(self._read, [item.run.id for item in followed])
        self._heart.hear(beat)
        # All at once, so that what changed shares one commit.
        judged = (self._judge(item, content) for item, content in zip(followed, contents, strict=True))
        failures = [failure for failure in await asyncio.gather(*judged, return_exceptions=True) if failure]
        if failures:
            raise failures[0]
        await self._compare()

    def _read(self, runs: Sequence[str]) -> list[bytes | None]:
        return [self._volume.read(HEARTBEAT), *(self._volume.read_result(run) for run in runs)]

    async def _compare(self) -> None:
        """Let go of runs that a command beside this process has ended."""
        for run in list(self._followed)[:COMPARED]:
            found = await self._journal.find(run)
            if run not in self._followed:
                continue
            followed = self._followed.pop(run)
            # A run that was replaced is followed for a while; its end may already be in the journal.
            if found and found.state in FOLLOWED | {RunState.SUPERSEDED, followed.run.state}:
                self._followed[run] = followed
            elif found:
                _log(found)

    async def _judge(self, followed: _Followed, content: bytes | None) -> None:
        result = Result.parse(content) if content else None
        if result and result.run == followed.run.id and result.application == followed.run.application:
            await self._heard(followed, result)
        else:
            result = None
            await self._silent(followed)
        if result is None or not result.final:
            await self._overdue(followed)

    def _follow(self, run: Run, age: float) -> None:
        self._followed[run.id] = _Followed(run, time.monotonic() - age)
        self._wake.set()

    async def _heard(self, followed: _Followed, result: Result) -> None:
        state, said = RunState(result.state), followed.said
        followed.said = result
        if state is followed.run.state:
            return
        if followed.run.state is RunState.LOST and not result.final and said in (None, result):
            return  # It is what was heard before it got lost.
        await self._change(followed, state, sentence(result), result)

    async def _silent(self, followed: _Followed) -> None:
        waited = time.monotonic() - followed.since
        if followed.run.state is RunState.LOST:
            return
        if followed.run.state is RunState.SUPERSEDED:
            if waited >= GRACE:
                del self._followed[followed.run.id]
        elif waited >= GRACE and (later := self._later(followed.run)):
            # The listener keeps results for a while, not for ever. It deploys the releases of an application in
            # order, so this one is not waiting any more.
            detail = f"run {later.id} was deployed since, and no result of this one is left"
            await self._change(followed, RunState.SUPERSEDED, detail, None)
        elif followed.run.state is RunState.FLAGGED and waited >= self._conf.listener_timeout and not followed.warned:
            there = await asyncio.to_thread(self._volume.holds, followed.run.id, followed.run.application)
            followed.warned = True
            log.warning(UNTAKEN if there else GONE, followed.run.application, lasting(waited), followed.run.id)

    def _later(self, run: Run) -> Run | None:
        """A run of the same application that came later and was deployed."""
        ended = self._ended.get(run.application)
        return ended if ended and ended.number > run.number else None

    async def _overdue(self, followed: _Followed) -> None:
        waited, silent = time.monotonic() - followed.since, self._heart.silent
        if followed.run.state is RunState.LOST and waited >= LOST_SECONDS:
            del self._followed[followed.run.id]
        elif followed.run.state is not RunState.DEPLOYING:
            return
        elif waited >= self._conf.deploy_timeout:
            detail = f"its deploy began and did not end within {lasting(waited)}"
            await self._change(followed, RunState.LOST, detail, None)
        elif silent >= self._conf.listener_timeout:
            detail = (
                f"the listener stopped during its deploy: no sign of life for {lasting(silent)}. "
                "When it starts again, it deploys once more what it had begun"
            )
            await self._change(followed, RunState.LOST, detail, None)

    async def _change(self, followed: _Followed, state: RunState, detail: str, result: Result | None) -> None:
        changed = await self._journal.report(followed.run.id, state, detail, result)
        followed.run = evolve(followed.run, state=state, detail=detail, result=result)
        followed.since, followed.warned = time.monotonic(), False
        if state is RunState.DEPLOYED:
            self._ended[followed.run.application] = self._later(followed.run) or followed.run
        if state not in FOLLOWED or not changed:
            self._followed.pop(followed.run.id, None)
        if changed:
            _log(followed.run)
            self._observers.tell(followed.run)


UNTAKEN = "no listener has taken the flag of %s for %s (run %s): is `duct-tape listen` running?"
GONE = (
    "the flag of %s is not in the volume any more, and for %s no listener has said what became of it (run %s): "
    "it waits behind another deploy, or somebody has removed it"
)
GOOD = frozenset({RunState.DEPLOYING, RunState.DEPLOYED, RunState.SUPERSEDED, RunState.CANCELLED, RunState.DISCARDED})
_VERBS = {
    "deploying": "is running",
    "deployed": "succeeded",
    "superseded": "was not started",
    "refused": "was refused",
    "cancelled": "was cancelled",
}


def _log(run: Run) -> None:
    level = logging.INFO if run.state in GOOD else logging.ERROR
    log.log(level, "%s: run %s for %s: %s", run.state, run.id, run.application, run.detail)


def lasting(seconds: float) -> str:
    """A time for sentences: seconds below two minutes."""
    return f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:.0f} minutes"


def sentence(result: Result) -> str:
    """What a result says, for people."""
    last = result.output.strip().rpartition("\n")[2][:300]
    verb = _VERBS.get(result.state, result.state)
    if result.state == "cancelled" and result.started_at is None:
        verb = "was not started"
    code = f" with exit code {result.exit_code}" if result.exit_code else ""
    took = f" after {result.duration:.1f} s" if result.duration is not None else ""
    return f"bin/deploy {verb}{code}{took}" + (f": {last}" if last else "")
