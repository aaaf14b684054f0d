"""What a webhook has to send, and who is told that it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from duct_tape.api import Pong
from duct_tape_github.sample import ping_payload
from duct_tape_github.subscriptions import missing, needed

if TYPE_CHECKING:
    from tests.plugins.github.conftest import GitHub

KINDS = ("release", "tag", "branch", "package", "build")


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        (("release",), "releases"),
        (("tag", "branch"), "pushes"),
        (("build", "release"), "releases and workflow runs"),
        (KINDS, "releases, pushes, packages and workflow runs"),
    ],
)
def test_what_has_to_be_sent(kinds: tuple[str, ...], words: str) -> None:
    assert needed(kinds) == words


@pytest.mark.parametrize(
    ("kinds", "events", "told"),
    [
        (("release",), ["release"], ""),
        (KINDS, ["*"], ""),
        (KINDS, ["release", "push", "registry_package", "workflow_run"], ""),
        (KINDS, ["release", "push", "package", "workflow_run"], ""),
        (("tag",), ["create", "release"], "does not send pushes: edit it and select Pushes"),
        (("branch", "tag"), [], "does not send pushes: edit it and select Pushes"),
        (("build",), ["push"], "does not send workflow runs: edit it and select Workflow runs"),
        (
            ("release", "package"),
            ["push"],
            "does not send releases and packages: edit it and select Releases and Packages",
        ),
        # Nobody knows.
        (("release",), None, ""),
        (("release",), "release", ""),
    ],
)
def test_what_is_not_sent(kinds: tuple[str, ...], events: object, told: str) -> None:
    assert missing(kinds, events) == told


@pytest.mark.parametrize(
    ("settings", "events", "message"),
    [
        ({"on": ("branch",)}, ("push",), "pushes of acme/site deploy site.example.com"),
        ({"on": ("release", "tag")}, ("push", "release"), "releases and pushes of acme/site deploy site.example.com"),
        ({"on": ("tag",)}, ("release",), "the webhook does not send pushes: edit it and select Pushes"),
        ({"application": "{{ repository | filename }}"}, ("release",), "releases of acme/site deploy acme%2Fsite"),
        ({"application": "{{ vars.name }}", "vars": {"name": "x"}}, ("release",), "releases of acme/site deploy x"),
        ({"application": "{{ release.tag }}"}, ("release",), "releases of acme/site deploy {{ release.tag }}"),
    ],
)
def test_a_ping_is_answered_for_what_is_configured(
    github: GitHub, settings: dict[str, Any], events: tuple[str, ...], message: str
) -> None:
    pong = Pong(configured="does not send" not in message, message=message)
    assert github.decide(ping_payload("acme/site", events), github.conf(**settings), "ping") == pong


def test_the_webhook_of_an_organization_needs_what_any_repository_needs(github: GitHub) -> None:
    conf = github.confs({"acme/a": {"application": "a"}, "acme/*": {"application": "b", "on": ("branch",)}})
    payload = ping_payload("acme/a", ("release",))
    assert github.decide(payload, conf, "ping") == Pong(configured=True, message="releases of acme/a deploy a")
    del payload["repository"]
    told = "the webhook does not send pushes: edit it and select Pushes"
    assert github.decide(payload, conf, "ping") == Pong(configured=False, message=told)
    payload["hook"]["events"] = ["release", "push"]
    assert github.decide(payload, conf, "ping") == Pong(configured=True, message="the signature is good")
