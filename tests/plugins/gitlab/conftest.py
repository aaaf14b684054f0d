"""GitLab's side without any network: payloads in, decisions out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from attrs import frozen

from duct_tape.api import Decision, Event, RawDelivery, Sample, Secret, Template
from duct_tape_gitlab import receive
from duct_tape_gitlab.conf import GitLabConf, Repository
from duct_tape_gitlab.plugin import receiver
from duct_tape_gitlab.sample import sample

KINDS = ("release", "tag", "branch", "build")


@frozen
class GitLab:
    """Shorthand for what most tests of this plugin do."""

    project: str = "group/sub/site"
    token: Secret = Secret("test", b"a token of this test")

    def conf(self, name: str = "", **settings: Any) -> GitLabConf:
        """A configuration with these settings of its one project, or of all that a pattern names."""
        repository: Any = {"application": Template("site.example.com"), "on": KINDS, **settings}
        more: Any = {"secrets": (self.token,), "triggers": ("deploy",)}
        return GitLabConf(**more, repositories={name or self.project: Repository(**repository)})

    def payload(self, kind: str = "release", tag: str = "", **settings: Any) -> dict[str, Any]:
        """What GitLab tells of a version of that project."""
        usual = "main" if kind in ("branch", "build") else "v1.0.0"
        wanted = Sample(repository=self.project, kind=kind, tag=tag or usual, **settings)
        found: dict[str, Any] = json.loads(sample(wanted).body)
        return found

    def event(self, payload: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Event:
        """What a payload says."""
        given = {"Content-Type": "application/json", **(headers or {})}
        return receive.parse(RawDelivery.build(given, json.dumps(payload).encode()))

    def decide(self, payload: Mapping[str, Any], conf: GitLabConf | None = None) -> Decision:
        """What is decided about a payload."""
        conf = conf or self.conf()
        delivery = RawDelivery.build({"Content-Type": "application/json"}, json.dumps(payload).encode())
        [(_, decision)] = receiver(conf).understood(delivery)
        return decision


@pytest.fixture
def gitlab() -> GitLab:
    return GitLab()
