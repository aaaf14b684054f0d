"""Catching up: what was missed is handed in once, and nothing else ever is."""

from __future__ import annotations

import time
from typing import Any

import pytest
from attrs import evolve
from tests.plugins.github.api_support import HOUR, Instance, accepted, event, run
from tests.plugins.github.fake_github import FakeGitHub, ago

from duct_tape_github import lookup
from duct_tape_github.reconcile import Reconciler
from duct_tape_github.rest import Api

DAY = 24 * HOUR
SITE = "/repos/acme/site"


@pytest.fixture
def instance(fake: FakeGitHub) -> Instance:
    return Instance(fake)


def test_a_delivery_that_failed_is_handed_in_with_its_own_id(
    fake: FakeGitHub, hook: dict[str, Any], instance: Instance
) -> None:
    payload = fake.release("acme/site", "v1.0.0", ago(HOUR))
    sent = fake.delivered(hook, payload)
    instance.look()
    assert instance.notes.accepted == [event(payload, sent["guid"])]


def test_an_application_begins_with_what_github_could_not_deliver_and_not_with_what_is_there(
    fake: FakeGitHub, hook: dict[str, Any], instance: Instance
) -> None:
    payload = fake.release("acme/site", "v1.0.0", ago(HOUR))
    fake.delivered(hook, payload, status="OK", status_code=200)
    instance.look()
    assert instance.notes.tags == []
    # It is not even fetched.
    assert fake.count(f"{SITE}/hooks/{hook['id']}/deliveries/5000") == 0


def test_what_is_published_after_the_start_begins_an_application(fake: FakeGitHub, instance: Instance) -> None:
    def started_earlier(reconciler: Reconciler) -> None:
        reconciler._started = time.monotonic() - 2 * HOUR

    fake.release("acme/site", "v0.9.0", ago(3 * HOUR))
    instance.look(before=started_earlier)
    assert instance.notes.tags == []
    fake.release("acme/site", "v1.0.0", ago(HOUR))
    instance.look(before=started_earlier)
    assert instance.notes.tags == ["v1.0.0"]


@pytest.mark.parametrize("wrong", [-60 * DAY, 60 * DAY])
@pytest.mark.parametrize("set_in_time", [False, True])
def test_a_clock_that_is_wrong_at_the_start_begins_no_application(
    fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch, wrong: float, set_in_time: bool
) -> None:
    # Not even if the list of releases is the first that GitHub answers.
    instance = Instance(fake, reconcile={"deliveries": False})
    fake.release("acme/site", "v0.9.0", ago(20 * DAY))
    real = time.time

    async def looked(api: Api) -> None:
        monkeypatch.setattr(time, "time", lambda: real() + wrong)
        reconciler = Reconciler(instance.ctx, api)
        if set_in_time:
            monkeypatch.setattr(time, "time", real)
        await reconciler.look()
        assert instance.notes.tags == []
        fake.release("acme/site", "v1.0.0", lookup.moment(fake.clock() + 60))
        await reconciler.look()

    instance.with_api(looked)
    assert instance.notes.tags == ["v1.0.0"]


def test_a_listed_release_that_is_newer_than_all_before_is_handed_in(fake: FakeGitHub, instance: Instance) -> None:
    accepted(instance, fake)
    payload = fake.release("acme/site", "v1.1.0", ago(HOUR))
    instance.look()
    [found] = instance.notes.accepted
    assert found.release == event(payload).release
    assert (found.action, found.repository) == ("published", "acme/site")
    assert found.payload["repository"]["id"] == payload["repository"]["id"]


def test_another_repository_of_the_application_is_no_beginning(
    fake: FakeGitHub, hook: dict[str, Any], instance: Instance
) -> None:
    accepted(instance, fake)
    old = instance.notes.runs[0]
    instance.notes.runs[0] = evolve(old, event=evolve(old.event, repository="acme/other"))
    fake.delivered(hook, fake.release("acme/site", "v1.1.0", ago(HOUR)), status_code=200)
    instance.look()
    assert instance.notes.accepted == []


def test_the_same_event_at_another_webhook_is_another_delivery(
    fake: FakeGitHub, hook: dict[str, Any], instance: Instance
) -> None:
    accepted(instance, fake)
    sent = fake.delivered(hook, fake.release("acme/site", "v1.1.0", ago(HOUR)))
    elsewhere = run("r", event(sent["request"]["payload"], sent["guid"]), instance="github-next", application="next")
    instance.notes.runs.append(elsewhere)
    instance.look()
    assert instance.notes.tags == ["v1.1.0"]


def test_what_the_server_answered_well_and_does_not_know_is_looked_at(
    fake: FakeGitHub, hook: dict[str, Any], instance: Instance
) -> None:
    accepted(instance, fake)
    # Promoted: its own `published_at` is old, and no list tells when it became a release.
    payload = fake.release("acme/site", "v1.1.0", ago(20 * DAY), action="released", updated_at=ago(HOUR))
    fake.delivered(hook, payload, status="OK", status_code=200)
    instance.look()
    assert instance.notes.tags == ["v1.1.0"]


def test_a_known_delivery_is_not_fetched(fake: FakeGitHub, hook: dict[str, Any], instance: Instance) -> None:
    sent = fake.delivered(hook, fake.release("acme/site", "v1.0.0", ago(HOUR)))
    instance.notes.runs.append(run("r", event(sent["request"]["payload"], sent["guid"])))
    instance.look()
    assert fake.count(f"{SITE}/hooks/{hook['id']}/deliveries/{sent['id']}") == 0
    assert instance.notes.accepted == []


def test_of_several_only_the_newest_is_handed_in(fake: FakeGitHub, hook: dict[str, Any], instance: Instance) -> None:
    accepted(instance, fake)
    for number in (1, 3, 2):
        payload = fake.release("acme/site", f"v1.{number}.0", ago(HOUR * (10 - number)))
        fake.delivered(hook, payload)
    instance.look(times=3)
    assert instance.notes.tags == ["v1.3.0"]


@pytest.mark.parametrize("members", [{}, {"state": "failed"}, {"state": "discarded"}])
@pytest.mark.parametrize("allow_older", [False, True])
def test_older_never_replaces_newer_and_what_is_known_is_not_repeated(
    fake: FakeGitHub, hook: dict[str, Any], members: dict[str, Any], allow_older: bool
) -> None:
    instance = Instance(fake, repositories={"acme/site": {"allow_older": allow_older}})
    fake.delivered(hook, fake.release("acme/site", "v1.0.0", ago(2 * HOUR)))
    accepted(instance, fake, "v1.1.0", HOUR, **members)
    instance.look()
    assert instance.notes.accepted == []


def test_what_is_older_than_the_look_back_is_left_alone(
    fake: FakeGitHub, hook: dict[str, Any], instance: Instance
) -> None:
    accepted(instance, fake)
    payload = fake.release("acme/site", "v1.1.0", ago(4 * DAY))
    fake.delivered(hook, payload, delivered_at=ago(4 * DAY))
    instance.look()
    assert instance.notes.accepted == []
    longer = Instance(fake, instance.notes, reconcile={"look_back": 5 * DAY})
    longer.look()
    assert instance.notes.tags == ["v1.1.0"]


@pytest.mark.parametrize("settings", [{"prerelease": True}, {"draft": True}])
def test_today_s_configuration_decides(fake: FakeGitHub, instance: Instance, settings: dict[str, Any]) -> None:
    accepted(instance, fake)
    fake.release("acme/site", "v2.0.0", ago(HOUR), **settings)
    instance.look()
    assert instance.notes.accepted == []


def test_a_round_without_news_costs_nothing(fake: FakeGitHub, hook: dict[str, Any], instance: Instance) -> None:
    fake.delivered(hook, fake.release("acme/site", "v1.0.0", ago(HOUR)))
    fake.limit = 100

    async def looked(api: Api) -> None:
        reconciler = Reconciler(instance.ctx, api)
        await reconciler.look()
        await reconciler.look()
        left = fake.limit
        await reconciler.look()
        assert fake.limit == left

    instance.with_api(looked)
    assert len(instance.notes.accepted) == 1


def test_25_pages_of_deliveries_are_read_once(fake: FakeGitHub, hook: dict[str, Any], instance: Instance) -> None:
    lost = fake.release("acme/site", "v1.0.0", ago(2 * DAY))
    fake.delivered(hook, lost, delivered_at=ago(2 * DAY))
    for _ in range(2_450):
        fake.delivered(hook, {"action": "opened"}, event="issues", status_code=200, delivered_at=ago(HOUR))
    path = f"{SITE}/hooks/{hook['id']}/deliveries"
    instance.look()
    assert fake.count(path) == 25
    assert instance.notes.tags == ["v1.0.0"]


def test_older_pages_are_not_read_again(fake: FakeGitHub, hook: dict[str, Any], instance: Instance) -> None:
    for _ in range(450):
        fake.delivered(hook, {"action": "opened"}, event="issues", status_code=200, delivered_at=ago(2 * HOUR))
    path = f"{SITE}/hooks/{hook['id']}/deliveries"
    instance.look(times=2)
    assert fake.count(path) == 5 + 1


def test_a_hook_with_no_end_of_deliveries_does_not_hold_up_the_rest(
    fake: FakeGitHub, hook: dict[str, Any], instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "MAX_PAGES", 3)
    monkeypatch.setattr(lookup, "MAX_FETCHED", 2)
    for number in range(400):
        fake.delivered(hook, fake.release("acme/site", f"v1.{number}.0", ago(500 - number)))
    instance.look()
    assert fake.count(f"{SITE}/hooks/{hook['id']}/deliveries") == 3
    assert instance.notes.tags == ["v1.399.0"]


def test_many_pages_of_releases_are_read_only_as_far_as_needed(fake: FakeGitHub, instance: Instance) -> None:
    accepted(instance, fake, age=100 * DAY)
    for number in range(200):
        fake.release("acme/site", f"v0.{number}.0", ago(90 * DAY))
    for number in range(60):
        fake.release("acme/site", f"v1.{number}.1", ago(HOUR + 60 - number))
    instance.look()
    assert fake.count(f"{SITE}/releases") == 3
    assert instance.notes.tags == ["v1.59.1"]
