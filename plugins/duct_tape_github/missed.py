"""What GitHub has and this server may have missed, in the form of a delivery. Pure functions."""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from attrs import frozen

from duct_tape.api import Check, Event, MalformedError, RawDelivery, ReleasePublished, Runs, moment
from duct_tape_github import receive
from duct_tape_github.answers import Delivered, Hook, origin
from duct_tape_github.conf import GitHubConf
from duct_tape_github.subscriptions import missing

# What decide() looks at; the rest needs not be fetched.
ACTIONS = frozenset({"published", "released"})


@frozen(kw_only=True)
class Missed:
    """A release that is to be deployed by today's configuration.

    :param version: when it became deployable; sorts by age.
    """

    event: Event
    decision: Runs
    version: str

    @property
    def id(self) -> str:
        """GitHub's number of the release."""
        return self.event.release.id if self.event.release else ""


def understood(delivery: RawDelivery, conf: GitHubConf) -> Missed | None:
    """What a delivery asks for, by the very functions that read webhooks; None where it asks for no run.

    :raises MalformedError: it is not what GitHub sends.
    """
    event = receive.parse(delivery)
    decision = conf.decide(event)
    if not isinstance(decision, Runs) or not decision.runs or not isinstance(event, ReleasePublished):
        return None
    return Missed(event=event, decision=decision, version=decision.version or "")


def delivery(name: str, number: str, payload: Mapping[str, Any]) -> RawDelivery:
    """A delivery as GitHub made it, or would have made it."""
    headers = {"Content-Type": "application/json", receive.EVENT: name, receive.DELIVERY: number}
    return RawDelivery.build(headers, json.dumps(payload).encode("utf-8"))


def release_delivery(release: dict[str, Any], repository: dict[str, Any]) -> RawDelivery:
    """The delivery of which GitHub's list of releases tells: the release was published."""
    tag = str(release.get("tag_name")).encode("utf-8", "replace")
    # The same for the same release and tag, so that it is one delivery in the journal however often it is made.
    number = f"catch-up-{_digits(release.get('id'))}-{zlib.crc32(tag):08x}"
    payload = {"action": "published", "release": release, "repository": repository, "sender": release.get("author")}
    return delivery("release", number, payload)


def present_delivery(event: Event, release: dict[str, Any]) -> RawDelivery:
    """The delivery of an event, with the release as it stands now."""
    before = event.payload["release"]
    # An edit is no promotion: it became deployable when the delivery says.
    when = {"updated_at": before["updated_at"]} if "updated_at" in before else {}
    return delivery(event.name, event.delivery, {**event.payload, "release": {**release, **when}})


def published_at(release: dict[str, Any]) -> str:
    """When a release was published; an empty string where that is not known."""
    try:
        return moment(release, "published_at") or ""
    except MalformedError:
        return ""


def candidates(found: Iterable[Delivered], since: str, known: Iterable[str]) -> list[Delivered]:
    """The deliveries of releases that are worth a look, each once, newest first.

    :param since: RFC 3339 time.
    :param known: the ids of those that made runs here.
    """
    chosen: dict[str, Delivered] = {}
    passed = set(known)
    for item in found:
        if item.event != "release" or item.action not in ACTIONS or item.at < since or item.guid in passed:
            continue
        # A redelivery has the id of the first one; if one of them got through, the other does not matter.
        if item.guid not in chosen or item.ok:
            chosen[item.guid] = item
    return list(chosen.values())


def matching_hook(hooks: Iterable[Hook], url: str | None, number: int | None) -> Hook | None:
    """The webhook that calls this server.

    :param url: the webhook's address, if the operator has told the server's.
    :param number: the webhook's id, if the operator has told it.
    """
    for hook in hooks:
        if hook.id == number if number is not None else url is not None and _same(hook.url, url):
            return hook
    return None


def hook_checks(name: str, hook: Hook, kinds: Collection[str] = ("release",)) -> list[Check]:
    """Whether a webhook is as this server needs it.

    :param kinds: the kinds of versions that are deployed.
    """
    told = f"webhook of {name}"
    found = []
    if not hook.active:
        found.append("it is not active: edit it and tick *Active*")
    if lacking := missing(kinds, hook.events, "*"):
        found.append(f"it {lacking}")
    if not hook.secret:
        found.append("it has no secret, so every delivery is refused: enter the one of the configuration")
    if hook.insecure:
        found.append("it does not verify the server's certificate: enable SSL verification")
    if hook.content_type != "json":
        found.append("its content type is not JSON: edit it and choose application/json")
    delivered = Check(name=f"last delivery of {name}", healthy=_went_well(hook), detail=_last_delivery(hook))
    return [Check(name=told, healthy=not found, detail="; ".join(found) or hook.url[:200]), delivered]


def _went_well(hook: Hook) -> bool:
    return hook.status is None or 200 <= hook.status < 300


def _last_delivery(hook: Hook) -> str:
    if hook.status is None:
        return "no delivery yet"
    how = f"was answered {hook.status}" if hook.status else "was answered by nobody"
    return f"its last delivery {how} ({hook.message})"


def _same(one: str, other: str) -> bool:
    try:
        return origin(one) == origin(other) and urlsplit(one).path.rstrip("/") == urlsplit(other).path.rstrip("/")
    except ValueError:
        return False


def _digits(value: object) -> str:
    return str(value) if type(value) is int and value >= 0 else "0"
