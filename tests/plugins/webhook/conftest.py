"""A sender that nobody knows, without any network: payloads in, decisions out."""

from __future__ import annotations

from typing import Any

from duct_tape.api import Filter, Receiver, Rule, Secret, Template
from duct_tape_webhook.conf import HmacConf, TokenConf, WebhookConf
from duct_tape_webhook.plugin import receiver

SECRET = Secret("test", b"only for these tests")
HMAC = HmacConf(header="X-Signature", prefix="sha256=")
TOKEN = TokenConf(header="Authorization", prefix="Bearer ")
PAYLOAD: dict[str, Any] = {
    "event": "release",
    "project": {"name": "shop", "path": "acme/shop"},
    "version": "v1.0.0",
    "build": {"number": 7, "ok": True},
    "published_at": "2026-01-02T03:04:05Z",
    "labels": ["a", "b"],
}


def release(**given: Any) -> Rule:
    """The rule of most tests."""
    return Rule(
        application=Template("{{ payload.project.name }}.example.com"),
        version=Template("{{ payload.version }}"),
        when=Filter('payload.event == "release" and payload.build.ok'),
        **given,
    )


def conf(**given: Any) -> WebhookConf:
    """A configuration, signed unless it says otherwise."""
    defaults: dict[str, Any] = {"secrets": (SECRET,), "triggers": ("deploy",), "rules": {"release": release()}}
    return WebhookConf(**{"hmac": HMAC if "token" not in given else None, **defaults, **given})


def webhook(**given: Any) -> Receiver:
    return receiver(conf(**given))
