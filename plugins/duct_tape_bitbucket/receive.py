"""Deliveries of Bitbucket Cloud and Data Center: verify and parse. Pure functions.

https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/
https://confluence.atlassian.com/bitbucketserver/event-payload-938025882.html
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

from attrs import frozen

from duct_tape.api import (
    Event,
    Hmac,
    MalformedError,
    RawDelivery,
    Release,
    ReleasePublished,
    Secret,
    commit,
    header,
    identity,
    json_bytes,
    member,
    moment,
    parse_json,
)

Flavour: TypeAlias = Literal["cloud", "data-center"]
Payload: TypeAlias = dict[str, Any]

SIGNATURE = "X-Hub-Signature"
EVENT = "X-Event-Key"
# The first is Cloud's, and the same when it tries again; the second is Data Center's.
DELIVERIES = ("X-Request-UUID", "X-Request-Id")

PUSH, REFS_CHANGED, PING = "repo:push", "repo:refs_changed", "diagnostics:ping"
# Each becomes an event of its own, and the core takes no more of them.
MAX_CHANGES = 100

_EVENT = r"[a-z_:]{1,100}"
_REFS = {"refs/tags/": "tag", "refs/heads/": "branch"}


@frozen(kw_only=True)
class _Push:
    """What all changes of a delivery have in common."""

    name: str
    delivery: str
    repository: str
    author: str | None

    def nothing(self, action: str, payload: Payload) -> Event:
        return Event(name=self.name, delivery=self.delivery, action=action, repository=self.repository, payload=payload)

    def version(self, release: Release, before: str, payload: Payload) -> ReleasePublished:
        # A branch may come back to a commit that it had before, and is to be deployed then. Only Data Center tells the
        # time, and Cloud nothing else that is signed.
        since = release.published_at or ""
        key = f"branch:{self.repository.lower()}:{release.tag}:{before}:{release.id}:{since}"
        return ReleasePublished(
            name=self.name,
            delivery=self.delivery,
            action=release.kind,
            repository=self.repository,
            release=release,
            payload=payload,
            key=key if release.kind == "branch" else None,
        )


def verifier(secrets: Sequence[Secret]) -> Hmac:
    """SHA-256 in the header that means SHA-1 with others."""
    return Hmac(SIGNATURE, secrets=secrets, prefix="sha256=")


def parse(delivery: RawDelivery) -> Sequence[Event]:
    """The events of a verified delivery: one for each tag or branch that it changes.

    The payload of each holds its own change only, so that a template finds it in the first place.

    :raises UnsupportedMediaError: the body is not JSON.
    :raises MalformedError: a header is missing, or the body is not what the event's schema says.
    """
    name, number = header(delivery, EVENT, _EVENT), identity(delivery, *DELIVERIES)
    payload = parse_json(json_bytes(delivery))
    if name == PUSH:
        return _pushed(payload, number)
    if name == REFS_CHANGED:
        return _refs_changed(payload, number)
    return (Event(name=name, delivery=number, payload=payload),)


def _pushed(payload: Payload, number: str) -> Sequence[Event]:
    nickname = member(payload, "actor.nickname", str, null=True)
    push = _Push(
        name=PUSH,
        delivery=number,
        repository=member(payload, "repository.full_name", str),
        # Older payloads have another name for it.
        author=nickname or member(payload, "actor.display_name", str, null=True),
    )
    inner = member(payload, "push", dict)
    changes = _changes(inner)
    if not 0 < len(changes) <= MAX_CHANGES:
        return (push.nothing(f"of {len(changes)} changes", payload),)
    return [_cloud(push, change, {**payload, "push": {**inner, "changes": [change]}}) for change in changes]


def _cloud(push: _Push, change: Payload, payload: Payload) -> Event:
    if member(change, "new", dict, null=True) is None:
        return push.nothing("deleted", payload)
    kind = member(change, "new.type", str)
    if kind not in ("tag", "branch"):
        return push.nothing("of another kind", payload)
    after, before = commit(change, "new.target.hash"), member(change, "old.target.hash", str, null=True)
    release = Release(
        id=after,
        tag=member(change, "new.name", str),
        url=member(change, "new.links.html.href", str, null=True),
        commit=after,
        # Only a tag with a message has a date, and no branch.
        published_at=moment(change, "new.date") if kind == "tag" else None,
        author=push.author,
        kind=kind,
    )
    return push.version(release, before or "", payload)


def _refs_changed(payload: Payload, number: str) -> Sequence[Event]:
    project, slug = member(payload, "repository.project.key", str), member(payload, "repository.slug", str)
    push = _Push(
        name=REFS_CHANGED,
        delivery=number,
        repository=f"{project}/{slug}",
        author=member(payload, "actor.name", str, null=True),
    )
    changes, date = _changes(payload), moment(payload, "date")
    if not 0 < len(changes) <= MAX_CHANGES:
        return (push.nothing(f"of {len(changes)} changes", payload),)
    return [_data_center(push, change, date, {**payload, "changes": [change]}) for change in changes]


def _data_center(push: _Push, change: Payload, date: str | None, payload: Payload) -> Event:
    ref, action = member(change, "ref.id", str), member(change, "type", str)
    prefix = next((prefix for prefix in _REFS if ref.startswith(prefix)), None)
    if prefix is None or action not in ("ADD", "UPDATE"):
        return push.nothing("of another kind" if prefix is None else action.lower(), payload)
    before, after = commit(change, "fromHash"), commit(change, "toHash")
    release = Release(
        id=after,
        tag=ref.removeprefix(prefix),
        commit=after,
        published_at=date,
        author=push.author,
        kind=_REFS[prefix],
    )
    return push.version(release, before, payload)


def _changes(table: Payload) -> list[Payload]:
    changes: list[Payload] = member(table, "changes", list)
    if not all(isinstance(change, dict) for change in changes):
        raise MalformedError("`changes` is not a list of objects")
    return changes


def simulated(event: str, body: bytes) -> RawDelivery:
    """The delivery that Bitbucket would make, without its signature."""
    headers = {"Content-Type": "application/json", EVENT: event, DELIVERIES[event == REFS_CHANGED]: str(uuid.uuid4())}
    return RawDelivery.build(headers, body)
