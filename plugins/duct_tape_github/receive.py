"""GitHub's deliveries: verify and parse. Pure functions.

https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from duct_tape.api import (
    Event,
    Hmac,
    MalformedError,
    RawDelivery,
    Release,
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

# Git keeps a tag as a file, whose name has at most 255 bytes. It goes into logs, answers and flags.
MAX_TAG = 1000

_EVENT = r"[a-z_]{1,100}"
_DELIVERY = r"[A-Za-z0-9-]{1,100}"


def verifier(secrets: Sequence[Secret]) -> Hmac:
    """``X-Hub-Signature-256`` over the raw body; the SHA-1 header counts for nothing."""
    return Hmac(SIGNATURE, secrets=secrets, prefix="sha256=")


def parse(delivery: RawDelivery) -> Event:
    """The event of a verified delivery.

    :raises UnsupportedMediaError: the body is neither JSON nor a form.
    :raises MalformedError: a header is missing, or the body is not what the event's schema says.
    """
    name, number = header(delivery, EVENT, _EVENT), header(delivery, DELIVERY, _DELIVERY)
    payload = parse_json(json_bytes(delivery, form="payload"))
    if name != "release":
        action, repository = payload.get("action"), payload.get("repository")
        full_name = repository.get("full_name") if isinstance(repository, dict) else None
        return Event(name=name, delivery=number, action=_text(action), repository=_text(full_name), payload=payload)
    member(payload, "repository.id", int)
    tag = member(payload, "release.tag_name", str)
    if len(tag) > MAX_TAG:
        raise MalformedError(f"`release.tag_name` is longer than {MAX_TAG} characters")
    return Event(
        name=name,
        delivery=number,
        action=member(payload, "action", str),
        repository=member(payload, "repository.full_name", str),
        release=Release(
            id=str(member(payload, "release.id", int)),
            tag=tag,
            name=member(payload, "release.name", str, null=True),
            prerelease=member(payload, "release.prerelease", bool),
            draft=member(payload, "release.draft", bool),
            url=member(payload, "release.html_url", str, null=True),
            commit=member(payload, "release.target_commitish", str, null=True),
            published_at=moment(payload, "release.published_at"),
            author=member(payload, "release.author.login", str, null=True),
        ),
        payload=payload,
    )


def simulated(event: str, body: bytes) -> RawDelivery:
    """The delivery that GitHub would make, without its signature."""
    headers = {
        "Content-Type": "application/json",
        EVENT: event or "release",
        DELIVERY: str(uuid.uuid4()),
    }
    return RawDelivery.build(headers, body)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
