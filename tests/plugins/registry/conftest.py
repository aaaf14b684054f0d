"""Two registries' side without any network: payloads in, decisions out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from attrs import evolve, frozen

from duct_tape.api import Decision, Event, RawDelivery, Sample, Secret, Template
from duct_tape_registry.conf import RegistryConf, Repository
from duct_tape_registry.plugin import receiver


@frozen
class Registry:
    """Shorthand for what most tests of this plugin do."""

    kind: str
    image: str = "acme/shop"
    secret: Secret = Secret("test", b"0123456789abcdefghijklmn")

    def conf(self, name: str = "", **settings: Any) -> RegistryConf:
        """A configuration with these settings of its one image, or of all that a pattern names."""
        repository: Any = {"application": Template("shop.example.com"), **settings}
        more: Any = {"kind": self.kind, "secrets": (self.secret,), "triggers": ("deploy",)}
        return RegistryConf(**more, repositories={name or self.image: Repository(**repository)})

    def delivery(self, **settings: Any) -> RawDelivery:
        """What the registry sends of a version of that image."""
        sample = receiver(self.conf()).sample
        assert sample is not None
        return sample(Sample(**{"repository": self.image, "kind": "package", **settings}))

    def payload(self, **settings: Any) -> dict[str, Any]:
        """The body of that."""
        found: dict[str, Any] = json.loads(self.delivery(**settings).body)
        return found

    def with_body(self, payload: Mapping[str, Any]) -> RawDelivery:
        """The same with another body."""
        return evolve(self.delivery(), body=json.dumps(payload).encode())

    def event(self, payload: Mapping[str, Any]) -> Event:
        """What a payload says."""
        event = receiver(self.conf()).parse(self.with_body(payload))
        assert isinstance(event, Event)
        return event

    def decide(self, payload: Mapping[str, Any], conf: RegistryConf | None = None) -> Decision:
        """What is decided about a payload."""
        [(_, decision)] = receiver(conf or self.conf()).understood(self.with_body(payload))
        return decision


@pytest.fixture
def hub() -> Registry:
    return Registry("docker-hub")


@pytest.fixture
def ghcr() -> Registry:
    return Registry("ghcr")
