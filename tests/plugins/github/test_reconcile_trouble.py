"""Catching up when something is wrong: told in words, once, and never the end."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import pytest
from tests.plugins.github.api_support import HOUR, URL, Instance, accepted, problem
from tests.plugins.github.fake_github import TOKEN, Answer, FakeGitHub, ago
from tests.server_support import free_port

from duct_tape.api import Template
from duct_tape_github import reconcile
from duct_tape_github.errors import Limited
from duct_tape_github.reconcile import Reconciler
from duct_tape_github.rest import Api

DAY = 24 * HOUR
SITE = "/repos/acme/site"


@pytest.fixture
def instance(fake: FakeGitHub) -> Instance:
    return Instance(fake)


def test_what_cannot_be_accepted_is_handed_in_later(fake: FakeGitHub, hook: dict[str, Any], instance: Instance) -> None:
    fake.delivered(hook, fake.release("acme/site", "v1.0.0", ago(HOUR)))

    async def looked(api: Api) -> None:
        reconciler = Reconciler(instance.ctx, api)
        instance.notes.down = True
        assert not await reconciler.look()
        assert problem(reconciler).startswith("what acme/site has missed cannot be accepted at the moment: ")
        assert all(check.healthy for check in reconciler.checks())
        instance.notes.down = False
        assert await reconciler.look()

    instance.with_api(looked)
    assert instance.notes.tags == ["v1.0.0"]


def test_a_token_that_is_refused_is_told_once_and_health_is_red(
    fake: FakeGitHub, hook: dict[str, Any], instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    fake.token = "revoked"
    reconciler = instance.look(times=3)
    told = "GitHub does not accept the token in the file token: it is wrong, expired or revoked; make a new one"
    assert caplog.messages == [told]
    [check] = reconciler.checks()
    assert (check.name, check.healthy, check.detail) == ("catching up with acme/site", False, told)
    assert TOKEN not in caplog.text


def test_what_works_again_is_told(
    fake: FakeGitHub, hook: dict[str, Any], instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    fake.script[f"{SITE}/hooks"] = [Answer(502)]
    reconciler = instance.look(times=2)
    assert caplog.messages == [
        "the webhooks of acme/site cannot be read at the moment: GitHub answers 502",
        "catching up with acme/site works again",
    ]
    assert problem(reconciler) == ""


def test_without_the_right_to_read_webhooks_the_releases_are_read_all_the_same(
    fake: FakeGitHub, hook: dict[str, Any], instance: Instance
) -> None:
    accepted(instance, fake)
    fake.release("acme/site", "v1.1.0", ago(HOUR))
    fake.permissions = {"releases"}
    reconciler = instance.look()
    assert instance.notes.tags == ["v1.1.0"]
    assert "it needs the permission *Webhooks: read*" in problem(reconciler)


@pytest.mark.parametrize("status", [403, 404])
def test_without_the_right_to_read_releases_nobody_knows_whether_one_still_stands(
    fake: FakeGitHub, hook: dict[str, Any], instance: Instance, status: int
) -> None:
    payload = fake.release("acme/site", "v1.1.0", ago(HOUR))
    fake.delivered(hook, payload)
    for path in (f"{SITE}/releases", f"{SITE}/releases/{payload['release']['id']}"):
        fake.script[path] = [Answer(status)]
    told: list[str] = []

    async def looked(api: Api) -> None:
        reconciler = Reconciler(instance.ctx, api)
        await reconciler.look()
        assert instance.notes.tags == []
        told.append(problem(reconciler))
        # The token is given the permission.
        await reconciler.look()

    instance.with_api(looked)
    assert "it needs the permission *Contents: read*" in told[0]
    assert instance.notes.tags == ["v1.1.0"]


def test_a_webhook_that_is_not_there_is_told(fake: FakeGitHub) -> None:
    fake.hook("acme/site", "https://chat.example.com/github")
    assert problem(Instance(fake).look()) == (
        f"no webhook of acme/site calls {URL}: add it; if it is the organization's, set `deliveries = false` under "
        "[plugins.github.reconcile]"
    )
    numbered = Instance(fake, repositories={"acme/site": {"hook_id": 7}})
    assert problem(numbered.look()).startswith("no webhook of acme/site has the id 7: ")


def test_without_a_public_url_the_number_says_which_webhook(fake: FakeGitHub, hook: dict[str, Any]) -> None:
    fake.delivered(hook, fake.release("acme/site", "v1.0.0", ago(HOUR)))
    unknown = Instance(fake, public_url=None)
    assert problem(unknown.look()).startswith("nobody knows which webhook of acme/site calls this server: set")
    known = Instance(fake, public_url=None, repositories={"acme/site": {"hook_id": hook["id"]}})
    assert problem(known.look()) == ""
    assert known.notes.tags == ["v1.0.0"]


def test_deliveries_can_be_left_out(fake: FakeGitHub) -> None:
    reconciler = Instance(fake, public_url=None, reconcile={"deliveries": False}).look()
    assert [asked.path for asked in fake.asked] == [f"{SITE}/releases"]
    assert problem(reconciler) == ""


def test_a_limit_ends_the_round_and_the_next_one_begins_where_it_ended(fake: FakeGitHub) -> None:
    for name in ("acme/blog", "acme/shop"):
        fake.releases[name] = []
    instance = Instance(fake, repositories={name: {} for name in fake.releases}, reconcile={"deliveries": False})

    async def looked(api: Api) -> None:
        reconciler = Reconciler(instance.ctx, api)
        fake.script["/repos/acme/blog/releases"] = [Answer(429, {}, {"Retry-After": "1"})]
        with pytest.raises(Limited):
            await reconciler.look()
        assert [asked.path.split("/")[3] for asked in fake.asked] == ["site", "blog"]
        with pytest.raises(Limited):
            await reconciler.look()
        # Nobody is asked before the second is over.
        assert len(fake.asked) == 2
        await asyncio.sleep(1)
        fake.asked.clear()
        await reconciler.look()
        assert [asked.path.split("/")[3] for asked in fake.asked] == ["blog", "shop", "site"]

    instance.with_api(looked)


def test_a_slow_repository_does_not_hold_up_the_others(fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile, "SECONDS", 0.2)
    fake.releases["acme/blog"] = []
    fake.gates[f"{SITE}/releases"] = threading.Event()
    repositories: dict[str, Any] = {"acme/site": {}, "acme/blog": {"application": Template("blog")}}
    reconciler = Instance(fake, repositories=repositories, reconcile={"deliveries": False}).look()
    assert problem(reconciler) == "GitHub took longer than 0.2 seconds to tell about acme/site"
    assert problem(reconciler, "acme/blog") == ""


@pytest.mark.parametrize(
    "payload", [None, [], {}, {"action": "published"}, {"action": "published", "release": {"id": "1"}}]
)
def test_a_delivery_that_is_none_is_left_out_and_told_once(
    fake: FakeGitHub, hook: dict[str, Any], instance: Instance, caplog: pytest.LogCaptureFixture, payload: Any
) -> None:
    sent = fake.delivered(hook, {"action": "published"}, request={"payload": payload})
    reconciler = instance.look(times=2)
    [message] = caplog.messages
    assert message.startswith(f"{sent['guid']} of acme/site is left out of the catching up: ")
    assert problem(reconciler) == ""


@pytest.mark.parametrize("body", [b"nonsense", {"message": "no list"}, [1, None, "x", {}], [{"published_at": []}]])
def test_odd_answers_are_not_the_end(fake: FakeGitHub, hook: dict[str, Any], instance: Instance, body: Any) -> None:
    fake.delivered(hook, fake.release("acme/site", "v1.0.0", ago(HOUR)))
    fake.script[f"{SITE}/releases"] = [Answer(200, body)]
    instance.look()
    assert instance.notes.tags == ["v1.0.0"]


def test_a_repository_that_is_none_is_an_error(fake: FakeGitHub, hook: dict[str, Any], instance: Instance) -> None:
    accepted(instance, fake)
    fake.release("acme/site", "v1.1.0", ago(HOUR))
    fake.script[SITE] = [Answer(200, [])]
    assert problem(instance.look()).endswith("GitHub answered something else than a repository")


def test_a_fault_of_our_own_is_told_and_is_not_the_end(
    fake: FakeGitHub, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: Any) -> None:
        raise ValueError("broken")

    monkeypatch.setattr(reconcile, "Lookup", broken)
    assert problem(instance.look()) == "catching up with acme/site failed (ValueError)"


def test_after_a_failure_the_next_look_comes_sooner_and_ever_later(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 9:
            raise KeyboardInterrupt

    looks = iter([False] * 6 + [True, False, True])

    async def look(self: Reconciler) -> bool:
        return next(looks)

    monkeypatch.setattr("random.uniform", lambda low, high: low)
    monkeypatch.setattr("asyncio.sleep", sleep)
    monkeypatch.setattr(Reconciler, "look", look)
    with pytest.raises(KeyboardInterrupt):
        instance.with_api(lambda api: Reconciler(instance.ctx, api).work())
    assert waits == [30, 60, 120, 240, 480, 900, 900, 30, 900]


def test_a_limit_is_waited_for(instance: Instance, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        raise KeyboardInterrupt

    monkeypatch.setattr("asyncio.sleep", sleep)
    fake.limit = 0
    with pytest.raises(KeyboardInterrupt):
        instance.with_api(lambda api: Reconciler(instance.ctx, api).work())
    assert 1790 < waits[0] < 1800 * 1.2 + 1


def test_nobody_there_at_the_start_and_then_somebody(
    fake: FakeGitHub, hook: dict[str, Any], instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.delivered(hook, fake.release("acme/site", "v1.0.0", ago(HOUR)))
    problems: list[str] = []

    async def sleep(seconds: float) -> None:
        problems.append(problem(reconcilers[0]))
        # The network comes up.
        reconcilers[0].api.url = fake.url
        if instance.notes.accepted:
            raise KeyboardInterrupt

    async def worked(api: Api) -> None:
        api.url = f"http://127.0.0.1:{free_port()}"
        reconcilers.append(Reconciler(instance.ctx, api))
        await reconcilers[0].work()

    reconcilers: list[Reconciler] = []
    monkeypatch.setattr("asyncio.sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        instance.with_api(worked)
    assert instance.notes.tags == ["v1.0.0"]
    assert ["cannot be reached" in text for text in problems] == [True, False]
