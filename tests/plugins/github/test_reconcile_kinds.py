"""Catching up beside other kinds of versions, and where names are patterns: releases of named repositories only."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from tests.plugins.github.api_support import HOUR, Instance, accepted, event, run
from tests.plugins.github.fake_github import FakeGitHub, ago

from duct_tape.api import Event, RunState, Template
from duct_tape_github import receive
from duct_tape_github.missed import delivery
from duct_tape_github.reconcile import version
from duct_tape_github.sample import COMMIT, package_payload, push_payload

DAY = 24 * HOUR
BOTH: dict[str, Any] = {"acme/site": {"on": ("release", "branch")}}


def pushed(age: float) -> Event:
    payload = push_payload("acme/site", pushed_at=ago(age))
    return receive.parse(delivery("push", f"d-{age:.0f}", payload), {"branch"})


@pytest.mark.parametrize(
    "repositories",
    [
        {"acme/*": {}},
        {"acme/site": {"application": Template("{{ repository | filename }}")}},
        {"acme/site": {"on": ("branch", "tag")}},
    ],
)
def test_only_releases_of_named_repositories_are_looked_for(fake: FakeGitHub, repositories: dict[str, Any]) -> None:
    instance = Instance(fake, repositories=repositories)
    accepted(instance, fake)
    fake.release("acme/site", "v1.1.0", ago(HOUR))
    assert instance.look().checks() == []
    assert instance.notes.accepted == []
    assert fake.asked == []


def test_a_release_that_is_newer_than_the_last_push_is_found(fake: FakeGitHub) -> None:
    instance = Instance(fake, repositories=BOTH)
    accepted(instance, fake)
    instance.notes.runs.append(run("pushed", pushed(2 * HOUR)))
    fake.release("acme/site", "v1.1.0", ago(HOUR))
    instance.look()
    assert instance.notes.tags == ["v1.1.0"]


def test_a_release_does_not_replace_a_later_push(fake: FakeGitHub) -> None:
    instance = Instance(fake, repositories=BOTH)
    accepted(instance, fake)
    instance.notes.runs.append(run("pushed", pushed(HOUR)))
    fake.release("acme/site", "v1.1.0", ago(2 * HOUR))
    instance.look()
    assert instance.notes.tags == []


def test_a_push_is_no_reason_to_begin_with_releases(fake: FakeGitHub) -> None:
    instance = Instance(fake, repositories=BOTH, reconcile={"deliveries": False})
    instance.notes.runs.append(run("pushed", pushed(2 * HOUR)))
    fake.release("acme/site", "v1.0.0", ago(HOUR))
    instance.look()
    assert instance.notes.tags == []


def test_the_age_of_a_run(fake: FakeGitHub) -> None:
    payload = fake.release("acme/site", "v1.0.0", "2026-01-02T03:04:05Z")
    released = event({**payload, "action": "released"})
    release = released.release
    assert release is not None
    plain = Event(name="release", delivery="d-1", release=release)
    assert version(run("1", released)) == version(run("1", plain)) == "2026-01-02T03:04:05Z"
    at = push_payload("acme/site", pushed_at="2026-01-02T03:04:06Z")
    assert version(run("1", receive.parse(delivery("push", "d-2", at), {"branch"}))) == "2026-01-02T03:04:06Z"
    assert version(run("1", evolve(plain, release=evolve(release, published_at=None)))) == ""
    assert version(run("1", evolve(plain, release=None))) == ""


def test_an_image_without_a_commit_is_not_shown_as_a_deployment(fake: FakeGitHub) -> None:
    instance = Instance(fake, repositories={"acme/*": {"on": ("package",)}}, settings={"deployments": True})
    payload = package_payload("acme/site")
    image = receive.parse(delivery("package", "d-1", payload), {"package"})
    payload["package"]["package_version"]["container_metadata"]["labels"] = None
    unlabelled = receive.parse(delivery("package", "d-2", payload), {"package"})
    instance.report(run("run-2", unlabelled, state=RunState.ACCEPTED))
    assert fake.asked == []
    # The fake knows no commits but as names.
    fake.release("acme/site", COMMIT, ago(0))
    instance.report(run("run-1", image, state=RunState.ACCEPTED))
    assert [item["payload"]["run"] for item in fake.deployments] == ["run-1"]
