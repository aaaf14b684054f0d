"""Every engine against a small model: deliveries, attempts, listeners, operators, restarts and crashes in any order."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from attrs import define, evolve
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.journal_support import ENGINES, LEASE, Engine, accept
from tests.server_support import event

from duct_tape.api import RunState
from duct_tape.journal import Keep, Limits, Pause
from duct_tape.results import Result
from duct_tape.runs import REPEATABLE, UNSUCCESSFUL, WITH_LISTENER

T = TypeVar("T")
GOOD = {RunState.DEPLOYED, RunState.DONE}
APPLICATIONS = st.sampled_from(["one", "two"])
TRIGGERS = st.sampled_from(["deploy", "deploy", "tell"])
OUTCOMES = st.sampled_from([RunState.DONE, RunState.FAILED, RunState.FLAGGED, RunState.REFUSED])
NEVER = Keep(seconds=1e12)


@define
class Known:
    """What the model knows of a run."""

    id: str
    application: str
    trigger: str
    key: str
    version: int | None
    state: RunState = RunState.ACCEPTED
    leased: bool = False
    attempts: int = 0

    @property
    def lane(self) -> tuple[str, str]:
        return self.application, self.trigger

    @property
    def live(self) -> bool:
        return self.state not in REPEATABLE


class JournalMachine(RuleBasedStateMachine):
    engine: Engine

    @initialize()
    def start(self) -> None:
        self.loop = asyncio.Runner()
        self.folders = [Path(tempfile.mkdtemp(prefix="duct-tape-model-"))]
        self.journal = self.engine(self.folders[-1], True, Limits())
        self.runs: list[Known] = []
        self.paused: set[str] = set()
        self.number = 0

    def teardown(self) -> None:
        if hasattr(self, "journal"):
            self.do(self.journal.close())
            self.loop.close()
            for folder in self.folders:
                shutil.rmtree(folder)

    def do(self, work: Awaitable[T]) -> T:
        async def main() -> T:
            return await work

        return self.loop.run(main())

    # Deliveries

    @rule(application=APPLICATIONS, trigger=TRIGGERS, version=st.integers(1, 12), again=st.booleans())
    def release(self, application: str, trigger: str, version: int, again: bool) -> None:
        self.delivered(application, trigger, f"release:{version}", version, again)

    @rule(application=APPLICATIONS, trigger=TRIGGERS)
    def plain_event(self, application: str, trigger: str) -> None:
        self.delivered(application, trigger, "", None, True)

    def delivered(self, application: str, trigger: str, key: str, version: int | None, again: bool) -> None:
        self.number += 1
        new = Known(f"{application}-{self.number}", application, trigger, key or f"d-{self.number}", version)
        decision: dict[str, Any] = {"title": f"v{version}", "key": key or None}
        decision["version"] = None if version is None else f"{version:02}"
        accepted = self.do(accept(self.journal, self.number, application, trigger=trigger, again=again, **decision))
        same = [run for run in self.runs if run.lane == new.lane and run.key == new.key and (run.live or not again)]
        newer = [run for run in self.runs if run.lane == new.lane and run.live and (run.version or 0) > (version or 99)]
        assert set(accepted.duplicates) <= {run.id for run in same}
        assert bool(accepted.duplicates) == bool(same)
        assert bool(accepted.older) == bool(newer and not same)
        assert [run.id for run in accepted.runs] == ([] if same or newer else [new.id])
        if accepted.runs:
            self.arrived(new, [run.id for run in accepted.superseded])

    def arrived(self, new: Known, superseded: list[str]) -> None:
        gone = [run for run in self.waiting(new) if not run.leased]
        assert superseded == [run.id for run in gone]
        for run in gone:
            run.state = RunState.SUPERSEDED
        self.runs.append(new)

    def waiting(self, new: Known) -> list[Known]:
        """The runs that a new one takes the place of."""
        versions = [run for run in self.runs if run.lane == new.lane and run.version is not None and new.version]
        return [run for run in versions if run.state is RunState.ACCEPTED and run.key != new.key]

    @rule(reason=st.text(max_size=5))
    def ignored_delivery(self, reason: str) -> None:
        self.number += 1
        self.journal.ignore("sender", event(f"d-{self.number}"), reason)

    # The dispatcher

    @rule()
    def claim(self) -> None:
        heads: dict[str, Known] = {}
        for run in self.runs:
            if run.state is RunState.ACCEPTED:
                heads.setdefault(run.application, run)
        expected = [run for run in heads.values() if not run.leased and run.application not in self.paused]
        assert {run.id for run in self.do(self.journal.claim(LEASE))} == {run.id for run in expected}
        for run in expected:
            run.leased = True

    def leased(self) -> list[Known]:
        return [run for run in self.runs if run.leased and run.state is RunState.ACCEPTED]

    @rule(states=st.lists(OUTCOMES, min_size=2, max_size=4))
    def carry_out(self, states: list[RunState]) -> None:
        """As long as there are outcomes: take up what waits, and finish it."""
        while states:
            self.claim()
            leased = self.leased()
            for run in leased:
                self.finish(run, states.pop() if states else RunState.DONE)
            states = states if leased else []

    def finish(self, run: Known, state: RunState) -> None:
        self.do(self.journal.finish(run.id, state, "finished"))
        run.state, run.leased, run.attempts = state, False, run.attempts + 1

    @precondition(lambda self: self.leased())
    @rule(data=st.data())
    def attempt_fails(self, data: st.DataObject) -> None:
        run = data.draw(st.sampled_from(self.leased()))
        failed = self.do(self.journal.fail(run.id, "failed", 0.0))
        later = self.runs[self.runs.index(run) + 1 :]
        newer = [other for other in later if run in self.waiting(other) and other.state is RunState.ACCEPTED]
        run.state = RunState.SUPERSEDED if newer else RunState.ACCEPTED
        run.leased, run.attempts = False, run.attempts + 1
        assert (failed.state, failed.attempts) == (run.state, run.attempts)

    # The listener

    @precondition(lambda self: self.runs)
    @rule(data=st.data(), state=st.sampled_from(["deploying", "deployed", "failed", "timed out", "cancelled"]))
    def listener_tells(self, data: st.DataObject, state: Any) -> None:
        run = data.draw(st.sampled_from(self.runs))
        known = run.state in WITH_LISTENER
        result = Result(run=run.id, application=run.application, state=state)
        if run.state is not RunState.SUPERSEDED:
            assert self.do(self.journal.report(run.id, RunState(state), "told", result)) is known
        if known:
            run.state = RunState(state)

    # Operators

    def some_run(self, data: st.DataObject) -> Known:
        """More often than not one that failed."""
        failed = [run for run in self.runs if run.state in UNSUCCESSFUL]
        return data.draw(st.sampled_from(failed * 5 + self.runs))

    @precondition(lambda self: self.runs)
    @rule(data=st.data())
    def redrive(self, data: st.DataObject) -> None:
        run = self.some_run(data)
        self.number += 1
        again = evolve(run, id=f"again-{self.number}", state=RunState.ACCEPTED)
        again.leased, again.attempts = False, 0
        assert self.do(self.journal.redrive(run.id, again.id))
        self.arrived(again, [other.id for other in self.waiting(again) if not other.leased])

    @precondition(lambda self: self.runs)
    @rule(data=st.data())
    def discard(self, data: st.DataObject) -> None:
        run = self.some_run(data)
        failed = run.state in UNSUCCESSFUL
        assert self.do(self.journal.discard(run.id, "no use")) is failed
        run.state = RunState.DISCARDED if failed else run.state

    @precondition(lambda self: self.runs)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        run = data.draw(st.sampled_from(self.runs))
        free = run.state is RunState.ACCEPTED and not run.leased
        assert self.do(self.journal.cancel(run.id, "by hand")) is free
        run.state = RunState.CANCELLED if free else run.state

    @rule(application=st.sampled_from(["one", "three"]))
    def pause(self, application: str) -> None:
        self.do(self.journal.pause(Pause(application=application, who="me", reason="lunch", since=1.0)))
        self.paused.add(application)

    @rule(application=st.sampled_from(["one", "three"]))
    def resume(self, application: str) -> None:
        assert (self.do(self.journal.resume(application)) is not None) == (application in self.paused)
        self.paused.discard(application)

    @rule(number=st.integers(1, 8))
    def prune(self, number: int) -> None:
        kept = {run.id for run in self.runs[-number:]}
        kept |= {run.id for run in self.runs if run.state is RunState.ACCEPTED or run.state in WITH_LISTENER}
        kept |= {run.id for run in {run.lane: run for run in self.runs if run.state in GOOD}.values()}
        kept |= {run.id for run in self.runs if run.version and run.live and run.version == self.newest(run.lane)}
        assert self.do(self.journal.prune(evolve(NEVER, runs=number))) == len(self.runs) - len(kept)
        self.runs = [run for run in self.runs if run.id in kept]

    def newest(self, lane: tuple[str, str]) -> int:
        return max(run.version or 0 for run in self.runs if run.lane == lane and run.live)

    # What happens to processes

    @rule()
    def restart(self) -> None:
        self.do(self.journal.close())
        self.begin(self.folders[-1])

    @rule()
    def kill(self) -> None:
        """What is on disk at any moment is a journal: a copy of the files is what a killed process leaves."""
        folder = Path(tempfile.mkdtemp(prefix="duct-tape-model-"))
        shutil.copytree(self.folders[-1], folder, dirs_exist_ok=True)
        self.do(self.journal.close())
        self.folders.append(folder)
        self.begin(folder)

    def begin(self, folder: Path) -> None:
        self.journal = self.engine(folder, True, Limits())
        for run in self.runs:
            run.leased = False

    # What always holds

    @invariant()
    def the_journal_knows_what_the_model_knows(self) -> None:
        if not hasattr(self, "journal"):
            return
        found = self.do(self.journal.recent(1000))[::-1]
        assert [(run.id, run.state, run.attempts) for run in found] == [
            (run.id, run.state, run.attempts) for run in self.runs
        ]
        states = [run.state for run in self.runs]
        assert self.do(self.journal.counts()) == {str(state): states.count(state) for state in set(states)}
        assert {pause.application for pause in self.do(self.journal.pauses())} == self.paused

    @invariant()
    def the_dead_letters_are_those_that_nobody_saw_to(self) -> None:
        if not hasattr(self, "journal"):
            return
        dead = []
        for index, run in enumerate(self.runs):
            later = [other for other in self.runs[index + 1 :] if other.lane == run.lane]
            seen_to = any(other.state in GOOD or other.key == run.key for other in later)
            dead += [run.id] if run.state in UNSUCCESSFUL and not seen_to else []
        assert [run.id for run in self.do(self.journal.dead(1000))] == dead[::-1]


@pytest.mark.parametrize("name", sorted(ENGINES))
def test_the_engine_does_what_the_model_does(name: str) -> None:
    machine: Any = type("Machine", (JournalMachine,), {"engine": staticmethod(ENGINES[name])})
    test = machine.TestCase
    test.settings = settings(max_examples=30, stateful_step_count=50, deadline=None)
    test("runTest").runTest()
