"""Telling GitHub: every state once, in order, whatever happens on the way."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from attrs import evolve
from tests.plugins.github.api_support import WHOLE, Instance, in_state, released, story
from tests.plugins.github.fake_github import Answer, FakeGitHub

from duct_tape.api import RunState
from duct_tape_github import reporter
from duct_tape_github.reporter import Reporter
from duct_tape_github.rest import Api

DEPLOYMENTS = "/repos/acme/site/deployments"
STATUSES = f"{DEPLOYMENTS}/1/statuses"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporter, "RETRY_SECONDS", 0.01)


@pytest.fixture
def instance(fake: FakeGitHub) -> Instance:
    return Instance(fake, settings={"deployments": True})


def test_the_states_of_a_run_appear_in_order_and_each_once(fake: FakeGitHub, instance: Instance) -> None:
    instance.report(*story(released(fake), *WHOLE, RunState.DEPLOYED))
    assert [item["payload"]["run"] for item in fake.deployments] == ["run-1"]
    assert fake.states() == ["queued", "in_progress", "success"]
    # Nothing is looked for that cannot be there.
    assert {asked.method for asked in fake.asked} == {"POST"}


def test_each_run_has_a_deployment(fake: FakeGitHub, instance: Instance) -> None:
    first, second = released(fake), released(fake, "v1.1.0", "run-2")
    instance.report(*story(first, RunState.ACCEPTED, RunState.SUPERSEDED), *story(second, *WHOLE))
    assert [item["ref"] for item in fake.deployments] == ["v1.0.0", "v1.1.0"]
    assert fake.states(0) == ["queued", "inactive"]
    assert fake.states(1) == ["queued", "in_progress", "success"]


def test_the_newest_state_wins(fake: FakeGitHub, instance: Instance) -> None:
    async def told(api: Api) -> None:
        mine = Reporter(instance.ctx, api)
        for state in story(released(fake), *WHOLE):
            mine.tell(state)
        task = asyncio.create_task(mine.work())
        await mine.drain(10.0)
        task.cancel()

    instance.with_api(told)
    assert fake.states() == ["success"]


def test_what_belongs_to_others_is_not_told(fake: FakeGitHub, instance: Instance) -> None:
    mine = released(fake)
    others = [
        evolve(mine, instance="gitlab"),
        evolve(mine, event=evolve(mine.event, release=None)),
        evolve(mine, event=evolve(mine.event, repository="acme/other")),
    ]
    instance.report(*others)
    assert fake.asked == []


def test_after_a_restart_no_second_deployment_is_made(fake: FakeGitHub, instance: Instance) -> None:
    first = released(fake)
    instance.report(*story(first, RunState.ACCEPTED, RunState.DEPLOYING))
    before = evolve(first, created_at=time.time() - 60)
    instance.report(in_state(before, RunState.DEPLOYING), in_state(before, RunState.FAILED))
    assert len(fake.deployments) == 1
    assert fake.states() == ["queued", "in_progress", "failure"]


def test_what_ended_unseen_gets_its_last_state_after_the_next_start(fake: FakeGitHub, instance: Instance) -> None:
    first = released(fake)
    instance.report(*story(first, RunState.ACCEPTED, RunState.DEPLOYING))
    unknown = released(fake, "v1.1.0", "run-2", created_at=time.time() - 60, state=RunState.DEPLOYED)
    ended = evolve(first, created_at=time.time() - 60, state=RunState.DEPLOYED)
    long_ago = evolve(ended, id="run-3", updated_at=time.time() - 2 * reporter.MAX_AGE)
    instance.notes.runs += [long_ago, ended, unknown, evolve(ended, id="run-4", state=RunState.DEPLOYING)]
    instance.report()
    assert fake.states() == ["queued", "in_progress", "success"]
    # A run that GitHub never heard of is not worth a deployment now.
    assert len(fake.deployments) == 1


def test_a_run_that_was_forgotten_is_looked_up(
    fake: FakeGitHub, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporter, "MAX_REMEMBERED", 1)
    monkeypatch.setattr(reporter, "FRESH_SECONDS", -60.0)
    first, second = released(fake), released(fake, "v2", "run-2")
    instance.report(first, second, in_state(first, RunState.DISCARDED))
    assert len(fake.deployments) == 2
    assert fake.states() == ["queued", "inactive"]


def test_what_is_known_better_is_not_overwritten_by_what_was_left_over(fake: FakeGitHub, instance: Instance) -> None:
    first = released(fake)

    async def told(api: Api) -> None:
        mine = Reporter(instance.ctx, api)
        mine.tell(in_state(first, RunState.DEPLOYED))
        mine.tell(in_state(first, RunState.SUPERSEDED), loose=True)
        task = asyncio.create_task(mine.work())
        await mine.drain(10.0)
        task.cancel()

    instance.with_api(told)
    assert fake.states() == ["success"]


def test_without_a_journal_the_rest_goes_on(
    fake: FakeGitHub, instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    instance.notes.down = True
    instance.report(released(fake))
    assert fake.states() == ["queued"]
    assert caplog.messages == ["deployments of an earlier process keep their state: the journal cannot be read"]


def test_only_so_many_wait_and_the_oldest_go_first(
    fake: FakeGitHub, instance: Instance, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporter, "MAX_WAITING", 2)
    instance.report()

    async def told(api: Api) -> None:
        mine = Reporter(instance.ctx, api)
        for number in (1, 2, 3):
            mine.tell(released(fake, f"v{number}", f"run-{number}"))
        task = asyncio.create_task(mine.work())
        await mine.drain(10.0)
        task.cancel()

    instance.with_api(told)
    assert [item["ref"] for item in fake.deployments] == ["v2", "v3"]
    assert caplog.messages == ["GitHub is not told how run run-1 ended: too many wait"]


def test_one_application_does_not_wait_for_another(fake: FakeGitHub, instance: Instance) -> None:
    slow, quick = released(fake), released(fake, "v2", "run-2", application="other")
    gate = fake.gates.setdefault("/repos/acme/slow/deployments", threading.Event())

    async def told(api: Api) -> None:
        mine = Reporter(instance.ctx, api)
        task = asyncio.create_task(mine.work())
        mine.tell(evolve(slow, event=evolve(slow.event, repository="acme/slow")))
        mine.tell(quick)
        await asyncio.to_thread(fake.wait_for, lambda: fake.states() == ["queued"])
        assert not gate.is_set()
        task.cancel()

    instance.repositories["acme/slow"] = {}
    instance.with_api(told)


def test_the_end_does_not_wait_for_github(fake: FakeGitHub, instance: Instance) -> None:
    fake.gates[DEPLOYMENTS] = threading.Event()

    async def told(api: Api) -> float:
        mine = Reporter(instance.ctx, api)
        task = asyncio.create_task(mine.work())
        mine.tell(released(fake))
        began = time.monotonic()
        await mine.drain(0.2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return time.monotonic() - began

    assert instance.with_api(told) < 5


def test_a_state_that_comes_while_another_is_on_its_way_is_told_after_it(fake: FakeGitHub, instance: Instance) -> None:
    first = released(fake)
    fake.gates[DEPLOYMENTS] = threading.Event()
    fake.script = {STATUSES: [Answer(500)]}

    async def told(api: Api) -> None:
        mine = Reporter(instance.ctx, api)
        task = asyncio.create_task(mine.work())
        mine.tell(first)
        mine.tell(released(fake, "v2", "run-2"))
        await asyncio.sleep(0)
        mine.tell(in_state(first, RunState.DEPLOYING))
        fake.gates[DEPLOYMENTS].set()
        await mine.drain(10.0)
        task.cancel()

    instance.with_api(told)
    # The first attempt failed, and by then there was a newer state.
    assert [fake.states(number) for number in (0, 1)] == [["in_progress"], ["queued"]]
