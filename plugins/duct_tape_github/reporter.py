"""Telling GitHub how runs stand, without ever holding up a run."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import suppress
from typing import TypeVar

from attrs import define, evolve, field

from duct_tape.api import Context, DuctTapeError, MalformedError, Run, UnavailableError
from duct_tape_github import answers
from duct_tape_github.conf import GitHubConf
from duct_tape_github.deployments import STATES, UNFINISHED, deployment_body, ref, status_body
from duct_tape_github.errors import ApiError, Limited, Refused, explained
from duct_tape_github.rest import Api

T = TypeVar("T")

# Of one application. The oldest are given up first.
MAX_WAITING = 50
MAX_REMEMBERED = 1000
# A run that is younger, and of which nothing is remembered, has no deployment.
FRESH_SECONDS = 3600.0
MAX_PAGES = 3
# Nobody looks for a state that comes later than that; also where an earlier process told GitHub only the beginning.
MAX_AGE = 24 * 3600.0
MAX_LOOSE = 30
RETRY_SECONDS = 5.0
MAX_RETRY_SECONDS = 300.0


@define
class _Waiting:
    """A run whose latest state GitHub does not know yet.

    :param loose: whether this is only worth telling where GitHub has a deployment of the run.
    """

    run: Run
    since: float
    loose: bool = False


@define
class _Known:
    """A run's deployment on GitHub.

    :param state: its latest state.
    """

    id: int
    state: str


@define(eq=False)
class Reporter:
    """Makes a deployment of each run, and a status of each of its states; the newest state wins."""

    ctx: Context
    api: Api
    _lanes: dict[str, dict[str, _Waiting]] = field(factory=dict, init=False)
    _known: dict[str, _Known] = field(factory=dict, init=False)
    # Runs of which nobody knows what GitHub was told: their deployment is looked for before one is made.
    _doubtful: dict[str, None] = field(factory=dict, init=False)
    # What was told the operator since something worked.
    _refused: dict[str, None] = field(factory=dict, init=False)
    _started: float = field(factory=time.time, init=False)
    _wake: asyncio.Event = field(factory=asyncio.Event, init=False)
    _idle: asyncio.Event = field(factory=asyncio.Event, init=False)
    _tasks: dict[str, asyncio.Task[None]] = field(factory=dict, init=False)

    def tell(self, run: Run, *, loose: bool = False) -> None:
        """Have GitHub told, soon. Only runs of this instance count."""
        if run.instance != self.ctx.name or not ref(run) or not self._conf.repository(run.event.repository):
            return
        lane = self._lanes.setdefault(run.application, {})
        if run.id in lane:
            if not loose:
                lane[run.id] = _Waiting(run, lane[run.id].since)
            return
        lane[run.id] = _Waiting(run, time.monotonic(), loose)
        self._idle.clear()
        if len(lane) > MAX_WAITING:
            given_up = lane.pop(next(iter(lane)))
            self.ctx.log.error("GitHub is not told how run %s ended: too many wait", given_up.run.id)
        self._wake.set()

    async def work(self) -> None:
        """Tell until cancelled; one application does not wait for another."""
        await self._take_up()
        self._rest()
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                for application in [name for name, lane in self._lanes.items() if lane and name not in self._tasks]:
                    task = asyncio.create_task(self._lane(application), name=f"deployments of {application}")
                    self._tasks[application] = task
                    task.add_done_callback(lambda _, name=application: self._ended(name))  # type: ignore[misc]
        finally:
            tasks = list(self._tasks.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def drain(self, seconds: float) -> None:
        """Wait until GitHub knows everything, for at most so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle.wait()

    @property
    def _conf(self) -> GitHubConf:
        conf: GitHubConf = self.ctx.config
        return conf

    def _ended(self, application: str) -> None:
        del self._tasks[application]
        self._wake.set()
        self._rest()

    def _rest(self) -> None:
        if not (self._tasks or any(self._lanes.values())):
            self._idle.set()

    async def _take_up(self) -> None:
        """What ended while an earlier process had no time to tell."""
        try:
            runs = await self.ctx.recent(MAX_LOOSE)
        except UnavailableError as error:
            self.ctx.log.warning("deployments of an earlier process keep their state: %s", error)
            return
        for run in reversed(runs):
            if STATES[run.state] not in UNFINISHED and time.time() - run.updated_at < MAX_AGE:
                self.tell(run, loose=True)

    async def _lane(self, application: str) -> None:
        lane = self._lanes[application]
        attempts = 0
        while lane:
            waiting = lane.pop(next(iter(lane)))
            try:
                await self._send(waiting)
                attempts = 0
            except ApiError as error:
                _remember(self._doubtful, waiting.run.id, None)
                if not self._given_up(waiting, error):
                    self._put_back(lane, waiting)
                    attempts += 1
                    await asyncio.sleep(_pause(attempts, error))
            except DuctTapeError as error:
                self.ctx.log.error("run %s is not shown on GitHub: %s", waiting.run.id, error)
            except Exception:
                # A fault of ours costs this one status, and neither the plugin nor the run.
                self.ctx.log.exception("GitHub is not told that run %s is %s", waiting.run.id, waiting.run.state)

    def _put_back(self, lane: dict[str, _Waiting], waiting: _Waiting) -> None:
        """To the front again, unless a newer state came meanwhile."""
        later = lane.pop(waiting.run.id, None)
        others = dict(lane)
        lane.clear()
        lane[waiting.run.id] = evolve(later, since=waiting.since) if later else waiting
        lane.update(others)

    def _given_up(self, waiting: _Waiting, error: ApiError) -> bool:
        run = waiting.run
        if isinstance(error, Refused):
            what = f"the deployments of {run.event.repository}"
            permission = "*Deployments: read and write*"
            told = explained(error, what, permission, self.api.source)
            if told not in self._refused:
                self.ctx.log.error("run %s is not shown on GitHub: %s", run.id, told)
            _remember(self._refused, told, None)
            return True
        if time.monotonic() - waiting.since < MAX_AGE:
            return False
        self.ctx.log.error("GitHub is not told that run %s is %s: %s", run.id, run.state, error)
        return True

    async def _send(self, waiting: _Waiting) -> None:
        run = waiting.run
        known = self._known.get(run.id)
        if known is None or run.id in self._doubtful:
            known = await self._found(run)
        if known is None and waiting.loose:
            return
        if known is None:
            known = _Known(await self._made(run), "")
        _remember(self._known, run.id, known)
        if known.state != STATES[run.state]:
            path = f"/repos/{run.event.repository}/deployments/{known.id}/statuses"
            await self.api.post(path, status_body(run, self._conf, self.ctx.public_url))
            known.state = STATES[run.state]
        self._refused.clear()

    async def _found(self, run: Run) -> _Known | None:
        """The deployment that was made before, if this process cannot know it."""
        fresh = run.created_at >= max(self._started, time.time() - FRESH_SECONDS)
        if fresh and run.id not in self._doubtful:
            return None
        path = f"/repos/{run.event.repository}/deployments"
        found = None
        async for page in self.api.pages(path, MAX_PAGES, ref=ref(run), per_page=100):
            numbers = [item.id for item in answers.deployments(page.items) if item.run == run.id]
            if numbers:
                statuses = [page async for page in self.api.pages(f"{path}/{numbers[0]}/statuses", 1, per_page=1)]
                found = _Known(numbers[0], answers.latest_state(statuses[0].items))
                break
        self._doubtful.pop(run.id, None)
        return found

    async def _made(self, run: Run) -> int:
        path = f"/repos/{run.event.repository}/deployments"
        try:
            return answers.deployment(await self.api.post(path, deployment_body(run, self._conf))).id
        except MalformedError as error:
            raise ApiError(str(error)) from None


def _remember(memory: dict[str, T], key: str, value: T) -> None:
    memory.pop(key, None)
    memory[key] = value
    while len(memory) > MAX_REMEMBERED:
        del memory[next(iter(memory))]


def _pause(attempts: int, error: DuctTapeError) -> float:
    """Seconds until the next attempt."""
    if isinstance(error, Limited):
        return error.seconds
    longest: float = min(RETRY_SECONDS * 2.0 ** min(attempts - 1, 20), MAX_RETRY_SECONDS)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - not a secret
