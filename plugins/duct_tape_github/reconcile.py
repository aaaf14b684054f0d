"""Catching up with GitHub: what was released while this server could not be reached."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from contextlib import asynccontextmanager

from attrs import define, field, frozen

from duct_tape.api import Check, Context, ReleasePublished, Run, UnavailableError
from duct_tape_github.conf import GitHubConf, Repository
from duct_tape_github.errors import ApiError, Limited, Refused, explained
from duct_tape_github.lookup import Lookup, WebhookMissing, moment
from duct_tape_github.missed import Missed
from duct_tape_github.rest import Api

# One repository may take so long in a round; then it is the next one's turn.
SECONDS = 120.0
# The first wait after a round that failed. It doubles up to the interval.
RETRY_SECONDS = 30.0
# A delivery is listed a while after it was made.
OVERLAP = 3600.0
MAX_REMEMBERED = 1000
MAX_RUNS = 100


@frozen(kw_only=True)
class Standing:
    """What the last look at a repository came to.

    :param problem: a sentence, or an empty string.
    :param lasting: whether only an operator can do something about it.
    """

    problem: str = ""
    lasting: bool = False


@define(eq=False)
class Reconciler:
    """Asks GitHub what this server has missed, and hands it in like a webhook.

    Only the newest missed release of a repository is handed in, and only one that is newer than all that was
    ever accepted for its application. Of a repository of which nothing was ever accepted for it, only what GitHub
    failed to deliver or what was published since the start counts: a release that is merely there is no reason
    to deploy it. Nor is one handed in that was withdrawn since.
    """

    ctx: Context
    api: Api
    standings: dict[str, Standing] = field(factory=dict, init=False)
    # By a clock that nobody sets. What the other one showed at the start may have been wrong.
    _started: float = field(factory=time.monotonic, init=False)
    # When the last look at a repository ended, and when the last one began that left nothing out.
    _looked: dict[str, float] = field(factory=dict, init=False)
    _complete: dict[str, float] = field(factory=dict, init=False)
    # Ids of deliveries and keys of events that need no second look.
    _seen: dict[str, None] = field(factory=dict, init=False)

    async def work(self) -> None:
        """Look at the start and then now and then, until cancelled."""
        interval = self._conf.reconcile.interval
        failures = 0
        while True:
            seconds = interval
            try:
                failures = 0 if await self.look() else failures + 1
                if failures:
                    seconds = min(interval, RETRY_SECONDS * 2 ** min(failures - 1, 20))
            except Limited as limited:
                self.ctx.log.warning("catching up pauses: %s", limited)
                seconds = limited.seconds
            # Never before GitHub wants it, nor all servers at the same second.
            await asyncio.sleep(seconds * random.uniform(1.0, 1.2))  # noqa: S311 - not a secret

    async def look(self) -> bool:
        """One round over all repositories; returns whether none has to be tried again soon.

        :raises Limited: GitHub wants no more requests for now.
        """
        # Where the last round was broken off, this one begins.
        for name in sorted(self._conf.caught_up, key=lambda name: self._looked.get(name, 0.0)):
            try:
                async with asyncio.timeout(SECONDS):
                    standing = await self._repository(name, self._conf.caught_up[name])
            except TimeoutError:
                standing = Standing(problem=f"GitHub took longer than {SECONDS:g} seconds to tell about {name}")
            except UnavailableError as error:
                standing = Standing(problem=f"what {name} has missed cannot be accepted at the moment: {error}")
            except Limited:
                raise
            except Exception as error:
                # A fault of ours must not end the catching up, let alone the plugin.
                self.ctx.log.exception("catching up with %s failed", name)
                standing = Standing(problem=f"catching up with {name} failed ({type(error).__name__})")
            self._looked[name] = time.time()
            self._told(name, standing)
        return all(standing.lasting or not standing.problem for standing in self.standings.values())

    def checks(self) -> list[Check]:
        """What the last round came to. What passes by itself, such as an outage of GitHub's, turns nothing red."""
        return [
            Check(name=f"catching up with {name}", healthy=not standing.lasting, detail=standing.problem)
            for name, standing in self.standings.items()
        ]

    @property
    def _conf(self) -> GitHubConf:
        conf: GitHubConf = self.ctx.config
        return conf

    def _told(self, name: str, standing: Standing) -> None:
        """Keep the standing, and log it if it is another than before."""
        before = self.standings.get(name, Standing())
        self.standings[name] = standing
        if standing.problem and standing != before:
            (self.ctx.log.error if standing.lasting else self.ctx.log.warning)("%s", standing.problem)
        elif before.problem and not standing.problem:
            self.ctx.log.info("catching up with %s works again", name)

    async def _repository(self, name: str, repository: Repository) -> Standing:
        began = time.time()
        application = repository.application.source
        runs = [run for run in await self.ctx.recent(MAX_RUNS, application) if run.event.release]
        # Another repository of the same application is no reason to begin with this one, nor is another kind.
        begun = any(run.event.repository.lower() == name.lower() and run.event.name == "release" for run in runs)
        look = _Look(Lookup(self.ctx, self.api, name, repository))
        since = began - self._conf.reconcile.look_back
        if self._conf.reconcile.deliveries:
            known = {run.event.delivery for run in runs}
            overlapping = max(since, self._complete.get(name, 0.0) - OVERLAP)
            # What was answered well and made no run was ignored: that is no reason to begin either.
            await look.at_deliveries(moment(overlapping), {*self._seen, *known}, all_of_them=begun)
        await look.at_releases((lambda: moment(since)) if begun else self._start)
        newest = max((version(run) for run in runs), default="")
        if last := await look.newest(newest, self._seen):
            await self._hand_in(name, last)
        self._remember(look.looked_at)
        if look.complete and not look.standing.problem:
            self._complete[name] = began
        return look.standing

    def _start(self) -> str:
        return moment(self.api.now() - (time.monotonic() - self._started))

    async def _hand_in(self, name: str, last: Missed) -> None:
        accepted = await self.ctx.deliver(last.event, last.decision, again=False)
        self._remember([last.decision.key or ""])
        for run in accepted.runs:
            self.ctx.log.warning(
                "caught up: %s of %s was missed, and is accepted for %s (run %s)",
                last.decision.title, name, run.application, run.id,
            )  # fmt: skip

    def _remember(self, names: Iterable[str]) -> None:
        self._seen.update(dict.fromkeys(names))
        while len(self._seen) > MAX_REMEMBERED:
            del self._seen[next(iter(self._seen))]


@define(eq=False)
class _Look:
    """One look at one repository. A source that fails does not keep the other from being asked."""

    lookup: Lookup
    found: list[Missed] = field(factory=list)
    looked_at: list[str] = field(factory=list)
    standing: Standing = field(factory=Standing)
    complete: bool = True
    # Whether the token lets through to the releases: without that, GitHub says of each that it is not there.
    listed: bool = False

    async def at_deliveries(self, since: str, known: Collection[str], *, all_of_them: bool) -> None:
        async with self._asking(f"the webhooks of {self.lookup.name}", "*Webhooks: read*"):
            deliveries = await self.lookup.deliveries(since, known, all_of_them=all_of_them)
            self.found += deliveries.found
            self.looked_at += deliveries.looked_at
            self.complete = deliveries.complete

    async def at_releases(self, since: Callable[[], str]) -> None:
        async with self._asking(f"the releases of {self.lookup.name}", "*Contents: read*"):
            self.found += await self.lookup.releases(since)
            self.listed = True

    async def newest(self, than: str, seen: Collection[str]) -> Missed | None:
        """The newest of what was found, as it stands now: of several that were missed, nobody wants the old ones.

        :param than: the version of what was accepted already.
        :param seen: the keys of what was handed in before.
        """
        fresh = [item for item in self.found if item.version > than]
        async with self._asking(f"the releases of {self.lookup.name}", "*Contents: read*"):
            for item in sorted(fresh, key=lambda item: item.version, reverse=True):
                if item.decision.key in seen:
                    return None
                present = await self._present(item)
                if present and present.version > than:
                    return present
                self.lookup.withdrawn(item)
            return None
        # What cannot be told is asked again; nothing older takes its place.
        self.looked_at.clear()
        return None

    async def _present(self, item: Missed) -> Missed | None:
        try:
            return await self.lookup.present(item)
        except Refused as error:
            if error.status == 404 and self.listed:
                return None
            raise

    @asynccontextmanager
    async def _asking(self, what: str, permission: str) -> AsyncIterator[None]:
        try:
            yield
        except Limited:
            raise
        except WebhookMissing as error:
            self._failed(Standing(problem=str(error), lasting=True))
        except ApiError as error:
            problem = explained(error, what, permission, self.lookup.api.source)
            self._failed(Standing(problem=problem, lasting=isinstance(error, Refused)))

    def _failed(self, standing: Standing) -> None:
        if standing.lasting or not self.standing.problem:
            self.standing = standing


def version(run: Run) -> str:
    """When the version of a run became deployable."""
    own = run.event.version if isinstance(run.event, ReleasePublished) else None
    return own or (run.event.release.published_at if run.event.release else None) or ""
