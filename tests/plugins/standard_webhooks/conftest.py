"""A sender that follows Standard Webhooks, with the key of its specification."""

from __future__ import annotations

from typing import Any

from duct_tape.api import Filter, Receiver, Rule, Secret, Template
from duct_tape_standard_webhooks.conf import StandardWebhooksConf
from duct_tape_standard_webhooks.plugin import receiver

# Public: from the documentation of the libraries.
SECRET = Secret("test", b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
PAYLOAD: dict[str, Any] = {
    "type": "release.published",
    "timestamp": "2026-01-02T03:04:05Z",
    "data": {"project": "shop", "version": "v1.0.0", "latest": True},
}


def sender(**given: Any) -> Receiver:
    rule = Rule(
        application=Template("{{ payload.data.project }}"),
        version=Template("{{ payload.data.version }}"),
        published_at=Template("{{ payload.timestamp }}"),
        when=Filter('event == "release.published" and payload.data.latest'),
    )
    defaults: dict[str, Any] = {"secrets": (SECRET,), "triggers": ("deploy",), "rules": {"release": rule}}
    return receiver(StandardWebhooksConf(**{**defaults, **given}))
