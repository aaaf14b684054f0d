"""What Gitea's deliveries deploy, and what not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.plugins.gitea.conftest import REPOSITORY, Gitea, ago
from tests.senders_support import decided

from duct_tape.api import Decision, Problem, Runs, Secret, Template
from duct_tape_gitea.conf import DAY, GiteaConf, GiteaRepository

HOUR = 3600.0


def updated(gitea: Gitea, published_at: str | None, **changes: Any) -> str:
    payload = gitea.payload(published_at=published_at, created_at=published_at, **changes)
    return gitea.told(payload | {"action": "updated"})


def runs(gitea: Gitea, payload: dict[str, Any], event: str = "release") -> Runs:
    decision: Decision
    [decision] = decided(gitea.receiver, gitea.delivery(payload, event))
    assert isinstance(decision, Runs)
    return decision


def test_a_published_release_is_deployed_however_old(gitea: Gitea) -> None:
    decision = runs(gitea, gitea.payload(published_at="2020-01-01T00:00:00Z", created_at="2020-01-01T00:00:00Z"))
    assert [planned.application for planned in decision.runs] == ["site.example.com"]
    assert (decision.title, decision.version) == ("v1.0.0", "2020-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("changes", "action", "reason"),
    [
        ({"draft": True}, "published", "the release is a draft"),
        ({"prerelease": True}, "published", "v1.0.0 is a prerelease, and `prereleases` is not set for this repository"),
        ({"prerelease": True}, "updated", "v1.0.0 is a prerelease, and `prereleases` is not set for this repository"),
        ({}, "deleted", "`release deleted` publishes nothing that can be deployed"),
        ({}, "created", "`release created` publishes nothing that can be deployed"),
    ],
)
def test_what_is_not_deployed(gitea: Gitea, changes: dict[str, Any], action: str, reason: str) -> None:
    assert gitea.told(gitea.payload(**changes) | {"action": action}) == reason


def test_a_recent_update_is_the_version_that_a_publication_is(gitea: Gitea) -> None:
    """A draft for a tag that is there, a prerelease that is promoted: once, whichever comes first."""
    payload = gitea.payload(published_at=ago(HOUR), created_at=ago(HOUR))
    first, second = runs(gitea, payload), runs(gitea, payload | {"action": "updated"})
    assert first == second


def test_an_update_of_an_old_release_deploys_nothing_although_nothing_is_known(gitea: Gitea) -> None:
    assert updated(gitea, ago(6 * DAY)) == "v1.0.0"
    assert "longer ago than `updated_within`" in updated(gitea, ago(8 * DAY))
    assert "an unknown day" in updated(gitea, None)


def test_how_old_is_configuration() -> None:
    assert updated(Gitea.of(updated_within=30 * DAY), ago(8 * DAY)) == "v1.0.0"
    assert "longer ago" in updated(Gitea.of(updated_within=0), ago(0))


def test_the_first_reason_is_the_one_that_is_told() -> None:
    assert updated(Gitea.of(tags=("w*",)), ago(8 * DAY)) == "the tag v1.0.0 matches none of w*"


def test_kinds_are_chosen() -> None:
    tags, branches = Gitea.of(on=("tag",)), Gitea.of(on=("branch",), branches=("release/*",))
    assert tags.told(tags.payload("tag"), "create") == "v1.0.0"
    assert branches.told(branches.payload("branch", "release/1"), "push") == "release/1"
    assert branches.told(branches.payload("branch", "main"), "push") == "the branch main matches none of release/*"
    assert tags.told(tags.payload()) == "`on` does not name `release` for this repository: v1.0.0 is not deployed"


def test_a_tag_has_one_key_and_a_tag_that_was_moved_another() -> None:
    gitea = Gitea.of(on=("tag",))
    created = runs(gitea, gitea.payload("tag", sha="a" * 40), "create")
    push = {"ref": "refs/tags/v1.0.0", "before": "0" * 40, "after": "a" * 40}
    assert runs(gitea, gitea.payload("branch") | push, "push").key == created.key
    moved = push | {"before": "a" * 40, "after": "b" * 40}
    assert runs(gitea, gitea.payload("branch") | moved, "push").key != created.key


def test_a_branch_that_comes_back_to_a_commit_is_deployed_again() -> None:
    gitea = Gitea.of(on=("branch",))
    first = gitea.payload("branch", "main", before="0" * 40, after="a" * 40)
    there = gitea.payload("branch", "main", before="a" * 40, after="b" * 40)
    back = gitea.payload("branch", "main", before="b" * 40, after="a" * 40)
    again = json.loads(json.dumps(there))
    again["repository"]["updated_at"] = "2026-01-03T00:00:00Z"
    assert len({runs(gitea, payload, "push").key for payload in (first, there, back, again)}) == 4
    assert runs(gitea, there, "push").key == runs(gitea, json.loads(json.dumps(there)), "push").key


def test_the_button_that_tests_the_webhook_gets_a_pong(gitea: Gitea) -> None:
    payload = gitea.payload("branch", "main", before="a" * 40, after="a" * 40)
    assert gitea.told(payload, "push") == f"pong: the signature is good; of {REPOSITORY} is deployed: release"
    payload["repository"]["full_name"] = "acme/other"
    assert gitea.told(payload, "push") == "pong: the repository acme/other is not configured here"


@pytest.mark.parametrize("within", [-1.0, float("nan"), float("inf")])
def test_what_is_wrong_with_a_configuration(within: float) -> None:
    repository = GiteaRepository(application=Template("site"), triggers=("deploy",))  # type: ignore[arg-type]
    names = {"https://git.example.com/acme/site": repository, "acme/*": repository}
    conf = GiteaConf(secrets=(), updated_within=within, repositories=names)
    found: list[Problem] = list(conf.ducttape_problems())
    assert [problem.path for problem in found] == [
        "secrets",
        'repositories."https://git.example.com/acme/site"',
        "updated_within",
    ]
    good = GiteaConf(secrets=(Secret("test", b"x"),), repositories={"acme/*": repository})
    assert list(good.ducttape_problems()) == []
