"""GitHub's side without any network: payloads in, decisions out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from attrs import frozen
from tests.plugins.github.api_support import URL
from tests.plugins.github.fake_github import FakeGitHub
from tests.plugins.github.fake_server import serving

from duct_tape.api import Decision, Filter, Secret, Template
from duct_tape_github import receive
from duct_tape_github.conf import GitHubConf, Repository
from duct_tape_github.decide import decide
from duct_tape_github.sample import release_payload


@frozen
class GitHub:
    """Shorthand for what most tests of this plugin do."""

    repository: str = "acme/site"
    secret: Secret = Secret("test", b"It's a Secret to Everybody")

    def conf(self, **settings: Any) -> GitHubConf:
        """A configuration with these settings of its one repository."""
        return self.confs({self.repository: {"application": "site.example.com", **settings}})

    def confs(self, repositories: Mapping[str, Mapping[str, Any]], **settings: Any) -> GitHubConf:
        """A configuration with several repositories."""
        known = {name: made(repository) for name, repository in repositories.items()}
        return GitHubConf(**{"secrets": (self.secret,), "triggers": ("deploy",), **settings}, repositories=known)

    def release(self, **settings: Any) -> dict[str, Any]:
        """The payload of a release of that repository."""
        return release_payload(self.repository, **settings)

    def decide(self, payload: Mapping[str, Any], conf: GitHubConf | None = None, event: str = "release") -> Decision:
        """What is decided about a payload."""
        delivery, conf = receive.simulated(event, json.dumps(payload).encode()), conf or self.conf()
        return decide(receive.parse(delivery, conf.kinds), conf)


def made(settings: Mapping[str, Any]) -> Repository:
    """A repository, whose templates and filters are given as text."""
    forms: dict[str, Any] = {"application": Template, "environment": Template, "when": Filter}
    return Repository(
        **{
            key: forms[key](value) if isinstance(value, str) and key in forms else value
            for key, value in settings.items()
        }
    )


@pytest.fixture
def github() -> GitHub:
    return GitHub()


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    """GitHub's API with the repository acme/site; whoever breaks its rules is found out."""
    github = FakeGitHub()
    github.releases["acme/site"] = []
    with serving(github):
        yield github
    assert github.complaints == []


@pytest.fixture
def hook(fake: FakeGitHub) -> dict[str, Any]:
    """The webhook of acme/site that calls this server, beside another."""
    fake.hook("acme/site", "https://chat.example.com/github")
    return fake.hook("acme/site", URL)
