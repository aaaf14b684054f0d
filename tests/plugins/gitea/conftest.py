"""Gitea's side without any network: payloads in, decisions out."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import evolve, field, frozen
from tests.senders_support import told

from duct_tape.api import RawDelivery, Receiver, Sample, Secret, Template
from duct_tape_gitea.conf import GiteaConf, GiteaRepository
from duct_tape_gitea.plugin import receiver
from duct_tape_gitea.receive import Flavour, simulated
from duct_tape_gitea.sample import sample

SECRET = Secret("test", b"only for these tests")
REPOSITORY = "acme/site"


@frozen
class Gitea:
    """Shorthand for what most tests of this plugin do."""

    receiver: Receiver
    flavour: Flavour = field(default="gitea")

    @classmethod
    def of(cls, flavour: Flavour = "gitea", updated_within: float | None = None, **settings: Any) -> Gitea:
        """One repository with these settings."""
        repository = GiteaRepository(application=Template("site.example.com"), **settings)
        conf = GiteaConf(
            secrets=(SECRET,),
            triggers=("deploy",),  # type: ignore[arg-type] # the reader makes names of them
            flavour=flavour,
            repositories={REPOSITORY: repository},
        )
        if updated_within is not None:
            conf = evolve(conf, updated_within=updated_within)
        return cls(receiver(conf), flavour)

    def payload(self, kind: str = "release", tag: str = "v1.0.0", **changes: Any) -> dict[str, Any]:
        """The payload of the sample, with changes at its top or in its release."""
        made: dict[str, Any] = json.loads(sample(Sample(repository=REPOSITORY, kind=kind, tag=tag)).body)
        table = made.get("release", made)
        return made | ({"release": table | changes} if table is not made else changes)

    def delivery(self, payload: Mapping[str, Any], event: str = "release") -> RawDelivery:
        """The unsigned delivery of a payload."""
        return simulated(event, json.dumps(payload).encode(), self.flavour)

    def told(self, payload: Mapping[str, Any], event: str = "release") -> str:
        """What is decided about a payload."""
        return told(self.receiver, self.delivery(payload, event))


def ago(seconds: float) -> str:
    """A time in the past, as Gitea writes it."""
    return datetime.fromtimestamp(time.time() - seconds, UTC).isoformat(timespec="seconds")


@pytest.fixture
def gitea() -> Gitea:
    return Gitea.of()
