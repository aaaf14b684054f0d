"""GitHub's deliveries: verify and parse. Pure functions.

https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from duct_tape.api import (
    Event,
    MalformedError,
    RawDelivery,
    Release,
    Secret,
    UnsupportedMediaError,
    check_hmac_form,
    member,
    parse_form,
    parse_json,
    verify_hmac_sha256,
)

SIGNATURE = "X-Hub-Signature-256"
EVENT = "X-GitHub-Event"
DELIVERY = "X-GitHub-Delivery"

# Git keeps a tag as a file, whose name has at most 255 bytes. It goes into logs, answers and flags.
MAX_TAG = 1000

_EVENT = re.compile(r"[a-z_]{1,100}")
_DELIVERY = re.compile(r"[A-Za-z0-9-]{1,100}")


def admit(delivery: RawDelivery) -> None:
    """Refuse what has no signature of GitHub's form before its body is read.

    :raises SignatureError: the header is missing, malformed or there twice.
    """
    check_hmac_form(delivery.values(SIGNATURE))


def verify(delivery: RawDelivery, secrets: Sequence[Secret]) -> None:
    """Check ``X-Hub-Signature-256`` over the raw body; the SHA-1 header counts for nothing.

    :raises SignatureError: the delivery is not from somebody who knows one of the secrets.
    """
    verify_hmac_sha256(delivery.values(SIGNATURE), delivery.body, secrets)


def parse(delivery: RawDelivery) -> Event:
    """The event of a verified delivery.

    :raises UnsupportedMediaError: the body is neither JSON nor a form.
    :raises MalformedError: a header is missing, or the body is not what the event's schema says.
    """
    name, number = _header(delivery, EVENT, _EVENT), _header(delivery, DELIVERY, _DELIVERY)
    payload = parse_json(_json_bytes(delivery))
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
        EVENT: event,
        DELIVERY: str(uuid.uuid4()),
    }
    return RawDelivery.build(headers, body)


def moment(payload: dict[str, Any], path: str) -> str | None:
    """The time at a dotted path in one form that sorts by age, RFC 3339 in UTC; None for null.

    :raises MalformedError: it is not a time with a zone.
    """
    text = member(payload, path, str, null=True)
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is None:
            raise ValueError
        return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (ValueError, OverflowError):
        raise MalformedError(f"`{path}` is not a time") from None


def _json_bytes(delivery: RawDelivery) -> bytes:
    media, _, parameters = (delivery.value("Content-Type") or "").partition(";")
    charset = parameters.strip().lower().replace('"', "")
    if charset not in ("", "charset=utf-8"):
        raise UnsupportedMediaError("only UTF-8 is read")
    if media.strip().lower() == "application/json":
        return delivery.body
    if media.strip().lower() == "application/x-www-form-urlencoded":
        return parse_form(delivery.body, "payload")
    raise UnsupportedMediaError("set the webhook's content type to application/json")


def _header(delivery: RawDelivery, name: str, form: re.Pattern[str]) -> str:
    value = delivery.value(name)
    if value is None or not form.fullmatch(value):
        raise MalformedError(f"the header {name} is missing or not as GitHub sends it")
    return value


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
