"""Telling GitHub when GitHub, the network or the token do not play along."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from tests.plugins.github.api_support import WHOLE, Instance, released, story
from tests.plugins.github.fake_github import TOKEN, Answer, FakeGitHub
from tests.server_support import free_port

from duct_tape.api import RunState, Template
from duct_tape_github import reporter
from duct_tape_github.errors import ApiError, Limited
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


@pytest.mark.parametrize("status", [500, 503])
def test_githubs_own_trouble_is_waited_for(fake: FakeGitHub, instance: Instance, status: int) -> None:
    fake.script = {DEPLOYMENTS: [Answer(status)] * 3, STATUSES: [Answer(status)]}
    instance.report(*story(released(fake), RunState.ACCEPTED, RunState.DEPLOYED))
    assert len(fake.deployments) == 1
    assert fake.states() == ["queued", "success"]


def test_an_order_whose_answer_was_lost_is_not_given_twice(
    fake: FakeGitHub, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = {"POST": 2}
    post = Api.post

    async def forgetful(self: Api, path: str, body: Any) -> Any:
        answer = await post(self, path, body)
        if lost["POST"]:
            lost["POST"] -= 1
            raise ApiError("GitHub did not answer within 20 seconds")
        return answer

    monkeypatch.setattr(Api, "post", forgetful)
    instance.report(*story(released(fake), RunState.ACCEPTED, RunState.DEPLOYED))
    assert len(fake.deployments) == 1
    assert fake.states() == ["queued", "success"]


def test_nobody_there_and_then_somebody(fake: FakeGitHub, instance: Instance) -> None:
    async def told(api: Api) -> None:
        api.url = f"http://127.0.0.1:{free_port()}"
        mine = Reporter(instance.ctx, api)
        task = asyncio.create_task(mine.work())
        mine.tell(released(fake))
        await mine.drain(0.3)
        api.url = fake.url
        await mine.drain(10.0)
        task.cancel()

    instance.with_api(told)
    assert fake.states() == ["queued"]


def test_a_limit_is_waited_for_and_no_state_is_lost(fake: FakeGitHub, instance: Instance) -> None:
    fake.script = {DEPLOYMENTS: [Answer(403, {"message": "secondary rate limit"}, {"Retry-After": "1"})]}
    began = time.monotonic()
    instance.report(released(fake))
    assert time.monotonic() - began >= 1
    assert fake.states() == ["queued"]
    assert len(fake.deployments) == 1


def test_waits_grow_and_a_limit_is_as_long_as_github_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporter, "RETRY_SECONDS", 5.0)
    monkeypatch.setattr("random.uniform", lambda low, high: high)
    error = ApiError("")
    assert [reporter._pause(attempt, error) for attempt in (1, 2, 3, 7, 99)] == [5, 10, 20, 300, 300]
    assert reporter._pause(1, Limited(1234.0)) == 1234


@pytest.mark.parametrize("setting", [{"permissions": {"hooks"}}, {"token": "revoked"}])
def test_a_token_that_may_not_is_told_once(
    fake: FakeGitHub, instance: Instance, caplog: pytest.LogCaptureFixture, setting: dict[str, Any]
) -> None:
    for name, value in setting.items():
        setattr(fake, name, value)
    instance.report(*story(released(fake), *WHOLE))
    [message] = caplog.messages
    assert message.startswith("run run-1 is not shown on GitHub: ")
    assert "Deployments: read and write" in message or "does not accept the token" in message
    assert TOKEN not in caplog.text
    assert fake.deployments == []


def test_a_tag_that_is_gone_is_told(fake: FakeGitHub, instance: Instance, caplog: pytest.LogCaptureFixture) -> None:
    gone = released(fake)
    fake.releases["acme/site"].clear()
    instance.report(gone)
    assert caplog.messages == [
        "run run-1 is not shown on GitHub: the deployments of acme/site: GitHub answers 422 (No ref found for: v1.0.0)"
    ]


def test_an_environment_that_cannot_be_rendered_is_told(fake: FakeGitHub, caplog: pytest.LogCaptureFixture) -> None:
    settings = {"deployments": True, "environment": Template("{{ vars.colour }}")}
    Instance(fake, settings=settings).report(released(fake))
    [message] = caplog.messages
    assert message.startswith("run run-1 is not shown on GitHub: template '{{ vars.colour }}': ")


def test_a_fault_of_our_own_costs_one_status(
    fake: FakeGitHub, instance: Instance, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = iter([ValueError("broken"), {"state": "success"}])

    def body(*arguments: Any) -> Any:
        found = next(bodies)
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(reporter, "status_body", body)
    instance.report(*story(released(fake), RunState.ACCEPTED, RunState.DEPLOYED))
    assert fake.states() == ["success"]
    assert caplog.messages == ["GitHub is not told that run run-1 is accepted"]


@pytest.mark.parametrize("body", [b"nonsense", [], {"id": "1"}])
def test_an_odd_answer_is_asked_about_again(fake: FakeGitHub, instance: Instance, body: Any) -> None:
    fake.script = {DEPLOYMENTS: [Answer(201, body)]}
    instance.report(released(fake))
    assert fake.states() == ["queued"]


def test_what_waits_for_too_long_is_given_up(
    fake: FakeGitHub, instance: Instance, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporter, "MAX_AGE", 0.0)
    fake.script = {DEPLOYMENTS: [Answer(500)]}
    instance.report(released(fake))
    assert caplog.messages == ["GitHub is not told that run run-1 is accepted: GitHub answers 500"]
    assert fake.deployments == []
