"""Deliveries of GitHub's container registry, which GitHub signs as all of its webhooks.

https://docs.github.com/en/webhooks/webhook-events-and-payloads#registry_package
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from duct_tape.api import (
    Event,
    Hmac,
    RawDelivery,
    Release,
    ReleasePublished,
    Secret,
    header,
    json_bytes,
    member,
    moment,
    parse_json,
)

SIGNATURE = "X-Hub-Signature-256"
EVENT = "X-GitHub-Event"
DELIVERY = "X-GitHub-Delivery"

# Both tell of one push, each under its own name in the body.
EVENTS = ("registry_package", "package")
# `create` is the word of older payloads.
_ACTIONS = ("published", "updated", "create")
# What Go writes for no time at all.
_NEVER = "0001-01-01T00:00:00Z"


def verifier(secrets: Sequence[Secret]) -> Hmac:
    """``X-Hub-Signature-256`` over the raw body; the SHA-1 header counts for nothing."""
    return Hmac(SIGNATURE, secrets=secrets, prefix="sha256=")


def parse(delivery: RawDelivery) -> Event:
    """The event of a verified delivery.

    :raises UnsupportedMediaError: the body is neither JSON nor a form.
    :raises MalformedError: a header is missing, or the body is not what the event's schema says.
    """
    name, number = header(delivery, EVENT, r"[a-z_]{1,100}"), header(delivery, DELIVERY, r"[A-Za-z0-9-]{1,100}")
    payload = parse_json(json_bytes(delivery, form="payload"))
    if name not in EVENTS:
        return Event(name=name, delivery=number, payload=payload)
    image = _image(payload, name)
    action, release = _published(payload, name)
    if release is None:
        return Event(name=name, delivery=number, action=action, repository=image, payload=payload)
    return ReleasePublished(
        name=name, delivery=number, action=action, repository=image, release=release, payload=payload
    )


def simulated(event: str, body: bytes) -> RawDelivery:
    """The delivery that GitHub would make, without its signature."""
    headers = {"Content-Type": "application/json", EVENT: event, DELIVERY: str(uuid.uuid4())}
    return RawDelivery.build(headers, body)


def _image(payload: dict[str, Any], name: str) -> str:
    """The name by which it is pulled. The `repository` of a package is another thing, and may be missing."""
    owner = member(payload, f"{name}.namespace", str, null=True) or member(payload, f"{name}.owner.login", str)
    return f"{owner}/{member(payload, f'{name}.name', str)}".lower()


def _published(payload: dict[str, Any], name: str) -> tuple[str, Release | None]:
    action = member(payload, "action", str)
    kind = member(payload, f"{name}.package_type", str)
    if kind.lower() != "container":
        return f"{action} of {kind}", None
    version = f"{name}.package_version"
    tag = member(payload, f"{version}.container_metadata.tag.name", str, null=True)
    if not tag:
        # Each platform of a multi-arch image is pushed by itself first.
        return f"{action} without a tag", None
    if action not in _ACTIONS:
        return action, None
    digest = member(payload, f"{version}.container_metadata.tag.digest", str)
    return action, Release(
        id=digest,
        tag=tag,
        url=member(payload, f"{version}.html_url", str, null=True),
        commit=digest,
        published_at=_time(payload, f"{version}.updated_at") or _time(payload, f"{version}.created_at"),
        author=member(payload, "sender.login", str, null=True),
        kind="package",
    )


def _time(payload: dict[str, Any], path: str) -> str | None:
    found = moment(payload, path)
    return None if found == _NEVER else found
