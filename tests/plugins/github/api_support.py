"""One instance of the plugin with a token, GitHub's API on its other side, and a server that only takes notes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from attrs import define, evolve, field
from tests.plugins.github.fake_github import TOKEN, FakeGitHub, ago

from duct_tape.api import Acceptance, Context, Event, Run, Runs, RunState, Secret, Template, UnavailableError, Volume
from duct_tape_github import receive
from duct_tape_github.conf import GitHubConf, ReconcileConf, Repository
from duct_tape_github.missed import delivery
from duct_tape_github.reconcile import Reconciler
from duct_tape_github.reporter import Reporter
from duct_tape_github.rest import Api

T = TypeVar("T")

HOUR = 3600.0
DAY = 24 * HOUR
URL = "https://hooks.example.com/integrations/github"
# What becomes of a run where all goes well.
WHOLE = (RunState.ACCEPTED, RunState.FLAGGED, RunState.DEPLOYING, RunState.DEPLOYED)


@define(eq=False)
class Notes:
    """A server that accepts everything, or nothing, and remembers it."""

    runs: list[Run] = field(factory=list)
    accepted: list[Event] = field(factory=list)
    down: bool = False

    async def deliver(self, instance: str, event: Event, decision: Runs, *, again: bool) -> Acceptance:
        assert not again, "nothing that failed here is repeated by a timer"
        if self.down:
            raise UnavailableError("too many runs are waiting")
        self.accepted.append(event)
        made = tuple(
            run(f"run-{len(self.runs) + number}", event, application=planned.application)
            for number, planned in enumerate(decision.runs)
        )
        self.runs += made
        return Acceptance(runs=made)

    async def recent(self, limit: int, application: str | None, state: RunState | None) -> list[Run]:
        if self.down:
            raise UnavailableError("the journal cannot be read")
        return [run for run in self.runs[::-1] if application in (None, run.application)][:limit]

    @property
    def tags(self) -> list[str]:
        return [event.release.tag for event in self.accepted if event.release]


def run(number: str, event: Event, **members: Any) -> Run:
    given: dict[str, Any] = {"instance": "github", "application": "site.example.com", "trigger": "deploy"}
    return Run(**{**given, "created_at": time.time(), "updated_at": time.time(), **members}, id=number, event=event)


@define(eq=False)
class Instance:
    """The plugin's side."""

    fake: FakeGitHub
    notes: Notes = field(factory=Notes)
    reconcile: Mapping[str, Any] = field(factory=dict)
    settings: Mapping[str, Any] = field(factory=dict)
    repositories: dict[str, Mapping[str, Any]] = field(factory=lambda: {"acme/site": {}})
    public_url: str | None = "https://hooks.example.com"
    _ctx: Context | None = field(default=None, init=False)

    @property
    def conf(self) -> GitHubConf:
        defaults: Any = {"application": Template("site.example.com")}
        return GitHubConf(
            secrets=(Secret("test", b"a key"),),
            triggers=("deploy",),  # type: ignore[arg-type]
            token=Secret("file token", TOKEN.encode()),
            api_url=self.fake.url,
            reconcile=ReconcileConf(**self.reconcile),
            repositories={name: Repository(**{**defaults, **given}) for name, given in self.repositories.items()},
            **self.settings,
        )

    @property
    def ctx(self) -> Context:
        if self._ctx is None:
            self._ctx = Context(
                name="github",
                plugin="github",
                prefix="/integrations/github",
                config=self.conf,
                log=logging.getLogger("github"),
                volume=Volume(Path("/nowhere")),
                url="http://127.0.0.1:9000",
                public_url=self.public_url,
                preview=lambda planned, event: {},
                host=lambda: self.notes,
            )
        return self._ctx

    def look(self, times: int = 1, before: Callable[[Reconciler], None] = lambda reconciler: None) -> Reconciler:
        """So many rounds, one after the other."""

        async def looked(api: Api) -> Reconciler:
            reconciler = Reconciler(self.ctx, api)
            before(reconciler)
            for _ in range(times):
                await reconciler.look()
            return reconciler

        return self.with_api(looked)

    def with_api(self, use: Callable[[Api], Awaitable[T]]) -> T:
        """What a function comes to that is given the client."""

        async def used() -> T:
            async with Api(self.fake.url, Secret("file token", TOKEN.encode())) as api:
                return await use(api)

        return asyncio.run(used())

    def report(self, *runs: Run) -> Reporter:
        """Have GitHub told of states, each once the one before has arrived."""

        async def reported(api: Api) -> Reporter:
            reporter = Reporter(self.ctx, api)
            task = asyncio.create_task(reporter.work())
            for run in runs:
                reporter.tell(run)
                await reporter.drain(10.0)
            await reporter.drain(10.0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return reporter

        return self.with_api(reported)


def in_state(run: Run, state: RunState, **members: Any) -> Run:
    return evolve(run, state=state, **members)


def accepted(instance: Instance, fake: FakeGitHub, tag: str = "v1.0.0", age: float = 30 * DAY, **members: Any) -> None:
    """A release that was deployed in its time."""
    payload = fake.release("acme/site", tag, ago(age))
    instance.notes.runs.append(run(f"old-{tag}", event(payload), **members))


def event(payload: dict[str, Any], number: str = "d-1") -> Event:
    return receive.parse(delivery("release", number, payload))


def problem(reconciler: Reconciler, name: str = "acme/site") -> str:
    return reconciler.standings[name].problem


def released(fake: FakeGitHub, tag: str = "v1.0.0", number: str = "run-1", **members: Any) -> Run:
    """A run that was accepted just now; GitHub has its release."""
    payload = fake.release("acme/site", tag, ago(60))
    members.setdefault("created_at", time.time() + 1)
    return run(number, event(payload, f"d-{number}"), **members)


def story(first: Run, *states: RunState) -> list[Run]:
    return [in_state(first, state) for state in states]
