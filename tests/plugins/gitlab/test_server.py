"""A whole server: from GitLab's delivery to the flag."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from duct_tape.api import Ignored, Runs, Sample
from duct_tape.cli.check import check
from duct_tape.testing import FakeClock, Harness

if TYPE_CHECKING:
    from tests.plugins.gitlab.conftest import GitLab

PROJECT = "group/sub/site"
CONFIGURATION = """
[triggers.deploy]
action = "touch-file"
[plugins.touch-file]
[plugins.gitlab]
secrets = [{ env = "TOKEN" }]
triggers = ["deploy"]
[plugins.gitlab.repositories."group/sub/site"]
application = "site.example.com"
tags = ["v*"]
on = ["release", "build"]
"""


@pytest.fixture
def server(ducttape: Callable[..., Harness], gitlab: GitLab, monkeypatch: pytest.MonkeyPatch) -> Harness:
    monkeypatch.setenv("TOKEN", gitlab.token.reveal().decode())
    return ducttape(CONFIGURATION)


def send(server: Harness, gitlab: GitLab, payload: Any, number: str) -> tuple[int, str]:
    token = gitlab.token.reveal().decode()
    answer = server.post("gitlab", payload, {"X-Gitlab-Token": token, "Idempotency-Key": number})
    return answer.status_code, answer.json()["status"]


def test_a_release_becomes_a_flag_once(server: Harness, gitlab: GitLab) -> None:
    payload = gitlab.payload()
    assert send(server, gitlab, payload, "1") == (202, "accepted")
    assert send(server, gitlab, payload, "1") == (200, "duplicate")
    # The hook of the group tells of the same release.
    assert send(server, gitlab, payload, "2") == (200, "duplicate")
    server.settle()
    flag = json.loads(server.flags()["site.example.com"])
    assert (flag["repository"], flag["tag"], flag["delivery"]) == ("group/sub/site", "v1.0.0", "1")
    assert flag["commit"] == payload["commit"]["id"]


def test_an_older_release_does_not_replace_a_newer_one(server: Harness) -> None:
    assert server.send("gitlab", Sample(repository=PROJECT, tag="v2")).status_code == 202
    older = server.send("gitlab", Sample(repository=PROJECT, tag="v1", published_at="2020-01-01T00:00:00Z"))
    assert older.json()["reason"] == "v1 is older than v2, which was accepted before for site.example.com"


def test_a_pipeline_that_began_earlier_does_not_replace_a_newer_one(server: Harness, gitlab: GitLab) -> None:
    slow, quick = gitlab.payload("build"), gitlab.payload("build", published_at="2026-01-02T03:05:00Z")
    slow["object_attributes"] |= {"id": 1, "finished_at": "2026-01-02 05:00:00 UTC"}
    quick["object_attributes"] |= {"id": 2, "finished_at": "2026-01-02 04:00:00 UTC"}
    assert send(server, gitlab, quick, "1") == (202, "accepted")
    assert send(server, gitlab, slow, "2") == (200, "ignored")


@pytest.mark.parametrize("kind", ["release", "build"])
def test_the_samples_are_deployed_and_those_of_strangers_are_not(server: Harness, kind: str) -> None:
    sample = Sample(repository=PROJECT, kind=kind, tag="main" if kind == "build" else "v1")
    assert server.send("gitlab", sample, signed=False).status_code == 401
    assert server.send("gitlab", sample).status_code == 202
    server.settle()
    server.assert_flags("site.example.com")


@pytest.mark.parametrize(("kind", "action"), [("release", "delete"), ("build", "failed")])
def test_another_action_deploys_nothing(server: Harness, kind: str, action: str) -> None:
    sample = Sample(repository=PROJECT, kind=kind, tag="main", action=action)
    answer = server.send("gitlab", sample).json()
    name = {"build": "pipeline"}.get(kind, kind)
    assert answer["reason"] == f"`{name} {action}` publishes nothing that can be deployed"


def test_an_upcoming_release_is_deployed_when_it_is_decided_anew_in_time(gitlab: GitLab) -> None:
    clock = FakeClock()
    upcoming = gitlab.payload() | {"released_at": "2026-02-01 00:00:00 UTC"}
    with clock.running():
        assert isinstance(gitlab.decide(upcoming), Ignored)
        clock.advance(30 * 24 * 3600)
        assert isinstance(gitlab.decide(upcoming), Runs)


def test_templates_are_tried_on_every_kind(ducttape: Callable[..., Harness], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "a token of this test")
    wrong = CONFIGURATION.replace('action = "touch-file"', 'action = "touch-file"\nfilename = "{{ release.author }}"')
    found = [str(problem) for problem in check(ducttape(wrong).assembly)]
    # GitLab does not say who published a release.
    assert len(found) == 1
    assert "a release would fail in trigger `deploy`: " in found[0]


@pytest.mark.parametrize(
    "change",
    [{"action": "update"}, {"tag": "nightly"}, {"object_kind": "issue"}, {"project": {"path_with_namespace": "a/b"}}],
    ids=str,
)
def test_what_is_of_no_interest_is_no_failure(server: Harness, gitlab: GitLab, change: dict[str, Any]) -> None:
    """GitLab switches a hook off after four answers that are no success."""
    assert send(server, gitlab, gitlab.payload() | change, "1") == (200, "ignored")
    assert server.runs() == []
