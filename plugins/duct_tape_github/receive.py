"""GitHub's deliveries: verify and parse. Pure functions.

https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence

from duct_tape.api import Event, Hmac, MalformedError, RawDelivery, Secret, header, json_bytes, parse_json
from duct_tape_github import builds, packages, pushes, releases

SIGNATURE = "X-Hub-Signature-256"
EVENT = "X-GitHub-Event"
DELIVERY = "X-GitHub-Delivery"

_EVENT = r"[a-z_]{1,100}"
_DELIVERY = r"[A-Za-z0-9-]{1,100}"

# The events of which versions come, and the kinds of these versions.
KINDS: Mapping[str, frozenset[str]] = {
    "release": frozenset({"release"}),
    "push": frozenset({"tag", "branch"}),
    "package": frozenset({"package"}),
    "registry_package": frozenset({"package"}),
    "workflow_run": frozenset({"build"}),
}
READERS: Mapping[str, Callable[[Event], Event]] = {
    "release": releases.read,
    "push": pushes.read,
    "package": packages.read,
    "registry_package": packages.read,
    "workflow_run": builds.read,
}


def verifier(secrets: Sequence[Secret]) -> Hmac:
    """``X-Hub-Signature-256`` over the raw body; the SHA-1 header counts for nothing."""
    return Hmac(SIGNATURE, secrets=secrets, prefix="sha256=")


def parse(delivery: RawDelivery, kinds: Collection[str] = ("release",)) -> Event:
    """The event of a verified delivery: a ``ReleasePublished`` where it publishes a version.

    :param kinds: the kinds that are deployed. An event that could publish none of them may be anything.
    :raises UnsupportedMediaError: the body is neither JSON nor a form.
    :raises MalformedError: a header is missing, or the body is not what the event's schema says.
    """
    name, number = header(delivery, EVENT, _EVENT), header(delivery, DELIVERY, _DELIVERY)
    payload = parse_json(json_bytes(delivery, form="payload"))
    action, repository = payload.get("action"), payload.get("repository")
    full_name = repository.get("full_name") if isinstance(repository, dict) else None
    event = Event(name=name, delivery=number, action=_text(action), repository=_text(full_name), payload=payload)
    if name not in READERS:
        return event
    try:
        return READERS[name](event)
    except MalformedError:
        if KINDS[name] & frozenset(kinds):
            raise
        return event


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
