"""Bitbucket's side without any network: payloads in, decisions out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from attrs import frozen
from tests.senders_support import told

from duct_tape.api import RawDelivery, Receiver, Sample, Secret, Template, TriggerName
from duct_tape_bitbucket.conf import BitbucketConf, BitbucketRepository
from duct_tape_bitbucket.plugin import receiver
from duct_tape_bitbucket.receive import PUSH, REFS_CHANGED, Flavour, simulated
from duct_tape_bitbucket.sample import sample

SECRET = Secret("test", b"only for these tests")
REPOSITORY = "acme/site"
EVENTS: dict[Flavour, str] = {"cloud": PUSH, "data-center": REFS_CHANGED}
A, B, NOWHERE = "a" * 40, "b" * 40, "0" * 40


@frozen
class Bitbucket:
    """Shorthand for what most tests of this plugin do."""

    receiver: Receiver

    @classmethod
    def of(cls, **settings: Any) -> Bitbucket:
        """One repository with these settings."""
        repository = BitbucketRepository(application=Template("site.example.com"), **settings)
        conf = BitbucketConf(
            secrets=(SECRET,), triggers=(TriggerName("deploy"),), repositories={REPOSITORY: repository}
        )
        return cls(receiver(conf))

    def payload(self, flavour: Flavour = "cloud", kind: str = "tag", tag: str = "v1.0.0") -> dict[str, Any]:
        """The payload of the sample."""
        made: dict[str, Any] = json.loads(sample(Sample(repository=REPOSITORY, kind=kind, tag=tag), flavour).body)
        return made

    def delivery(self, payload: Mapping[str, Any], event: str = PUSH) -> RawDelivery:
        """The unsigned delivery of a payload."""
        return simulated(event, json.dumps(payload).encode())

    def told(self, payload: Mapping[str, Any], event: str = PUSH) -> str:
        """What is decided about a payload."""
        return told(self.receiver, self.delivery(payload, event))


def cloud(*changes: Mapping[str, Any]) -> dict[str, Any]:
    """A push to Bitbucket Cloud."""
    return {"push": {"changes": list(changes)}, "repository": {"full_name": REPOSITORY}, "actor": {"nickname": "ada"}}


def tag(name: str, commit: str = A, **members: Any) -> dict[str, Any]:
    """A tag that is pushed to Bitbucket Cloud."""
    return {"new": {"type": "tag", "name": name, "target": {"hash": commit}, **members}, "old": None}


def branch(name: str, before: str | None, after: str) -> dict[str, Any]:
    """A push to a branch of Bitbucket Cloud."""
    old = None if before is None else {"type": "branch", "name": name, "target": {"hash": before}}
    return {"new": {"type": "branch", "name": name, "target": {"hash": after}}, "old": old}


def data_center(*changes: Mapping[str, Any], date: str | None = "2018-07-05T18:22:00+0000") -> dict[str, Any]:
    """A push to Bitbucket Data Center."""
    repository = {"slug": "site", "project": {"key": "acme"}}
    return {"date": date, "repository": repository, "actor": {"name": "ada"}, "changes": list(changes)}


def ref(name: str, kind: str = "ADD", before: str = NOWHERE, after: str = A) -> dict[str, Any]:
    """A change of Bitbucket Data Center."""
    return {"ref": {"id": name}, "fromHash": before, "toHash": after, "type": kind}


@pytest.fixture
def bitbucket() -> Bitbucket:
    return Bitbucket.of()
