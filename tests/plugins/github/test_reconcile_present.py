"""Catching up decides by the release as it stands now, and hands it in once."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from tests.plugins.github.api_support import DAY, HOUR, Instance, Notes, accepted, problem
from tests.plugins.github.fake_github import Answer, FakeGitHub, ago

from duct_tape.api import Acceptance, Event, Runs
from duct_tape_github import reconcile

RELEASES = "/repos/acme/site/releases"


@pytest.fixture
def instance(fake: FakeGitHub) -> Instance:
    return Instance(fake)


@pytest.fixture
def lost(fake: FakeGitHub, hook: dict[str, Any], instance: Instance) -> dict[str, Any]:
    """The release v1.1.0 at GitHub, which nobody answered for; v1.0.0 runs."""
    accepted(instance, fake)
    return deliver(fake, hook, "v1.1.0", 2 * HOUR)


def deliver(fake: FakeGitHub, hook: dict[str, Any], tag: str, age: float, **settings: Any) -> dict[str, Any]:
    """Fail to deliver a release; returns it as GitHub has it, apart from what the delivery says."""
    payload = fake.release("acme/site", tag, ago(age), **settings)
    fake.delivered(hook, {**payload, "release": dict(payload["release"])})
    release: dict[str, Any] = payload["release"]
    return release


def test_what_was_deleted_since_is_not_deployed(
    fake: FakeGitHub, instance: Instance, lost: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "github")
    fake.releases["acme/site"].remove(lost)
    reconciler = instance.look(times=2)
    assert instance.notes.tags == []
    assert problem(reconciler) == ""
    told = "v1.1.0 of acme/site is left out of the catching up: it was deleted, or is no longer to be deployed"
    assert caplog.messages == [told]
    assert fake.count(f"{RELEASES}/{lost['id']}") == 1


@pytest.mark.parametrize("now", [{"prerelease": True}, {"draft": True}, {"tag_name": ""}])
def test_what_is_no_longer_to_be_deployed_is_left_out(instance: Instance, lost: dict[str, Any], now: Any) -> None:
    lost.update(now)
    instance.look()
    assert instance.notes.tags == []


def test_a_prerelease_that_is_wanted_is_deployed(fake: FakeGitHub, instance: Instance, lost: dict[str, Any]) -> None:
    lost["prerelease"] = True
    wanted = Instance(fake, instance.notes, repositories={"acme/site": {"prereleases": True}})
    wanted.look()
    assert [found.release and found.release.prerelease for found in instance.notes.accepted] == [True]


def test_the_newest_that_still_stands_takes_the_place_of_one_that_was_withdrawn(
    fake: FakeGitHub, hook: dict[str, Any], instance: Instance, lost: dict[str, Any]
) -> None:
    newest = deliver(fake, hook, "v1.2.0", HOUR)
    fake.releases["acme/site"].remove(newest)
    instance.look(times=2)
    assert instance.notes.tags == ["v1.1.0"]


def test_it_is_deployed_as_it_stands_now(instance: Instance, lost: dict[str, Any]) -> None:
    lost["name"] = "Spring"
    instance.look()
    [found] = instance.notes.accepted
    assert found.release
    assert found.release.name == "Spring"


def test_an_edit_makes_no_release_newer(fake: FakeGitHub, hook: dict[str, Any], instance: Instance) -> None:
    promoted = deliver(fake, hook, "v1.0.0", 20 * DAY, action="released", updated_at=ago(5 * HOUR))
    before = promoted["updated_at"]
    promoted["updated_at"] = ago(HOUR)
    instance.look()
    [found] = instance.notes.accepted
    assert found.payload["release"]["updated_at"] == before


@pytest.mark.parametrize("answer", [Answer(502), Answer(200, []), Answer(403)])
def test_as_long_as_github_does_not_tell_nothing_is_deployed_and_nothing_older(
    fake: FakeGitHub, hook: dict[str, Any], instance: Instance, lost: dict[str, Any], answer: Answer
) -> None:
    newest = deliver(fake, hook, "v1.2.0", HOUR)
    fake.script[f"{RELEASES}/{newest['id']}"] = [answer]
    instance.look()
    assert instance.notes.tags == []
    instance.look(times=2)
    assert instance.notes.tags == ["v1.2.0"]


def test_what_could_not_be_told_is_asked_again(
    fake: FakeGitHub, instance: Instance, hook: dict[str, Any], lost: dict[str, Any]
) -> None:
    fake.script[f"{RELEASES}/{lost['id']}"] = [Answer(502)]
    # The list does not have it: only the delivery tells.
    lost["published_at"] = ago(20 * DAY)
    fake.deliveries[0]["request"]["payload"]["release"]["published_at"] = ago(20 * DAY)
    instance.look(times=2)
    assert instance.notes.tags == ["v1.1.0"]


@pytest.mark.parametrize("committed", [False, True])
def test_time_that_is_up_while_a_release_is_handed_in_skips_and_repeats_nothing(
    instance: Instance, lost: dict[str, Any], monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    whole = Notes.deliver
    asked: list[str] = []

    async def deliver(self: Notes, name: str, event: Event, decision: Runs, *, again: bool) -> Acceptance:
        asked.append(decision.title)
        if len(asked) > 1 or committed:
            accepted = await whole(self, name, event, decision, again=again)
        if len(asked) == 1:
            await asyncio.Event().wait()
        return accepted

    monkeypatch.setattr(Notes, "deliver", deliver)
    monkeypatch.setattr(reconcile, "SECONDS", 1.0)
    instance.look(times=3)
    assert instance.notes.tags == ["v1.1.0"]
    assert len(asked) == (1 if committed else 2)
