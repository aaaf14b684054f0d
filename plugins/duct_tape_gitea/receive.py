"""Deliveries of Gitea, Forgejo and Gogs: verify and parse. Pure functions.

https://docs.gitea.com/usage/webhooks
https://forgejo.org/docs/latest/user/webhooks
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

from duct_tape.api import (
    Event,
    Hmac,
    RawDelivery,
    Release,
    ReleasePublished,
    Secret,
    commit,
    header,
    json_bytes,
    member,
    moment,
    parse_json,
)

Flavour: TypeAlias = Literal["gitea", "forgejo", "gogs"]
Payload: TypeAlias = dict[str, Any]

# A form is decoded before its signature can be checked, so a stranger's must not be large. JSON may be.
MAX_FORM = 256 * 1024

UPDATED = "updated"
# What we call the push of the button that tests the webhook: from a commit to itself.
TESTED = "tested"

_EVENT = r"[a-z_]{1,100}"
_REFS = {"refs/tags/": "tag", "refs/heads/": "branch"}


def verifier(secrets: Sequence[Secret], flavour: Flavour = "gitea") -> Hmac:
    """An HMAC over the JSON, also where that is sent as a field of a form."""
    return Hmac(f"{_prefix(flavour)}-Signature", secrets=secrets, signed=signed)


def signed(delivery: RawDelivery) -> bytes:
    """The bytes that the sender signs.

    :raises UnsupportedMediaError: the body is neither JSON nor a form, or it is a large form.
    :raises MalformedError: the form has not one field `payload`.
    """
    return json_bytes(delivery, form="payload" if len(delivery.body) <= MAX_FORM else None)


def parse(delivery: RawDelivery, flavour: Flavour = "gitea") -> Event:
    """The event of a verified delivery.

    :raises UnsupportedMediaError: the body is neither JSON nor a form.
    :raises MalformedError: a header is missing, or the body is not what the event's schema says.
    """
    name, number = (
        header(delivery, f"{_prefix(flavour)}-Event", _EVENT),
        header(delivery, f"{_prefix(flavour)}-Delivery"),
    )
    payload = parse_json(signed(delivery))
    # Gogs and Gitea before 1.14 may tell the webhook's secret here: it must not get into the journal.
    payload.pop("secret", None)
    if name == "release":
        return _release(payload, number)
    if name == "create":
        return _created(payload, number)
    if name == "push":
        return _pushed(payload, number)
    action, repository = payload.get("action"), payload.get("repository")
    full_name = repository.get("full_name") if isinstance(repository, dict) else None
    return Event(name=name, delivery=number, action=_text(action), repository=_text(full_name), payload=payload)


def _release(payload: Payload, number: str) -> Event:
    action = member(payload, "action", str)
    # Gitea publishes a draft for a tag that is there already, and promotes a prerelease, by `updated`.
    kind = ReleasePublished if action in ("published", UPDATED) else Event
    times = (moment(payload, "release.published_at"), moment(payload, "release.created_at"))
    release = Release(
        id=str(member(payload, "release.id", int)),
        tag=member(payload, "release.tag_name", str),
        name=member(payload, "release.name", str, null=True),
        prerelease=member(payload, "release.prerelease", bool),
        draft=member(payload, "release.draft", bool),
        url=member(payload, "release.html_url", str, null=True),
        commit=member(payload, "release.target_commitish", str, null=True),
        # Gogs only has the time of creation.
        published_at=max(filter(None, times), default=None),
        author=member(payload, "release.author.login", str, null=True),
    )
    repository = member(payload, "repository.full_name", str)
    return kind(name="release", delivery=number, action=action, repository=repository, release=release, payload=payload)


def _created(payload: Payload, number: str) -> Event:
    kind, repository = member(payload, "ref_type", str), member(payload, "repository.full_name", str)
    if kind != "tag":
        # The push of a new branch tells of it too.
        return Event(name="create", delivery=number, action=kind, repository=repository, payload=payload)
    tag = member(payload, "ref", str).removeprefix("refs/tags/")
    sha = commit(payload, "sha")
    author = member(payload, "sender.login", str, null=True)
    release = Release(id=sha, tag=tag, commit=sha, author=author, kind="tag")
    return ReleasePublished(
        name="create", delivery=number, action=kind, repository=repository, release=release, payload=payload
    )


def _pushed(payload: Payload, number: str) -> Event:
    ref, repository = member(payload, "ref", str), member(payload, "repository.full_name", str)
    before, after = commit(payload, "before"), commit(payload, "after")
    prefix = next((prefix for prefix in _REFS if ref.startswith(prefix)), None)
    if before == after or not after.strip("0") or prefix is None:
        action = TESTED if before == after else "of another kind" if prefix is None else "deleted"
        return Event(name="push", delivery=number, action=action, repository=repository, payload=payload)
    kind, tag = _REFS[prefix], ref.removeprefix(prefix)
    author = member(payload, "pusher.login", str, null=True)
    url = member(payload, "compare_url", str, null=True)
    release = Release(id=after, tag=tag, url=url, commit=after, author=author, kind=kind)
    # A branch may come back to a commit that it had before, and is to be deployed then. The repository's time tells
    # two such pushes apart, and is the same when one is sent again. A tag is told of twice, by `create` too.
    since = moment(payload, "repository.updated_at") or ""
    key = f"branch:{repository.lower()}:{tag}:{before}:{after}:{since}" if kind == "branch" else None
    return ReleasePublished(
        name="push", delivery=number, action=kind, repository=repository, release=release, payload=payload, key=key
    )


def simulated(event: str, body: bytes, flavour: Flavour = "gitea") -> RawDelivery:
    """The delivery that the sender would make, without its signature."""
    prefix = _prefix(flavour)
    headers = {
        "Content-Type": "application/json",
        f"{prefix}-Event": event,
        f"{prefix}-Delivery": str(uuid.uuid4()),
    }
    return RawDelivery.build(headers, body)


def _prefix(flavour: Flavour) -> str:
    return f"X-{flavour.capitalize()}"


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
