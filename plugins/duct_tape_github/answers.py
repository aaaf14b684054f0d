"""What GitHub's REST API answers, read as strictly as a webhook. Pure functions.

https://docs.github.com/en/rest
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

from attrs import field, frozen

from duct_tape.api import MalformedError, member, moment, parse_json

T = TypeVar("T")

# Not across another "<": looking on from each of thousands would take half a second.
_NEXT = re.compile(r'<([^<>\s]{1,2000})>\s*;[^,<]*?\brel="?next"?')


@frozen(kw_only=True)
class Hook:
    """A webhook of a repository.

    :param status: how its last delivery was answered; 0 where nobody answered, None where none was made.
    :param message: the same in GitHub's words.
    """

    id: int
    url: str
    active: bool
    events: tuple[str, ...]
    content_type: str
    insecure: bool
    secret: bool
    status: int | None
    message: str


@frozen(kw_only=True)
class Delivered:
    """A delivery as GitHub keeps it, without its payload.

    :param guid: what the request carried as ``X-GitHub-Delivery``.
    :param at: RFC 3339 time in UTC.
    """

    id: int
    guid: str
    at: str
    event: str
    action: str
    ok: bool


@frozen(kw_only=True)
class Deployment:
    """A deployment.

    :param run: the run that it stands for, where Duct Tape made it.
    """

    id: int
    run: str


@frozen(kw_only=True)
class Page:
    """One page of a list.

    :param next: the address of the next one, or an empty string.
    """

    items: tuple[dict[str, Any], ...] = field(repr=False)
    next: str = ""


def parse_value(body: bytes) -> Any:
    """Any JSON value, where ``parse_json`` takes objects only.

    :raises MalformedError: it is not JSON, or as odd as ``parse_json`` says.
    """
    found = parse_json(b'{"value":' + body + b"}")
    if found.keys() != {"value"}:
        raise MalformedError("the body is not JSON in UTF-8")
    return found["value"]


def objects(value: Any) -> tuple[dict[str, Any], ...]:
    """The objects of a list.

    :raises MalformedError: it is no list.
    """
    if not isinstance(value, list):
        raise MalformedError("GitHub answered something else than a list")
    return tuple(item for item in value if isinstance(item, dict))


def next_page(link: str, url: str) -> str:
    """The address behind ``rel="next"`` of a Link header; an empty string where there is none of the same server."""
    found = _NEXT.search(link[:10_000])
    if found is None:
        return ""
    try:
        address = urljoin(url, found[1])
        return address if origin(address) == origin(url) else ""
    except ValueError:
        return ""


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port.

    :raises ValueError: it is not a URL.
    """
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def hooks(items: Iterable[dict[str, Any]]) -> tuple[Hook, ...]:
    """The webhooks of a list; what is none is left out."""
    return tuple(_each(_hook, items))


def delivered(items: Iterable[dict[str, Any]]) -> tuple[Delivered, ...]:
    """The deliveries of a list; what is none is left out."""
    return tuple(_each(_delivered, items))


def deployments(items: Iterable[dict[str, Any]]) -> tuple[Deployment, ...]:
    """The deployments of a list; what is none is left out."""
    return tuple(_each(deployment, items))


def deployment(item: Any) -> Deployment:
    """One deployment.

    :raises MalformedError: it is none.
    """
    if not isinstance(item, dict):
        raise MalformedError("GitHub answered something else than a deployment")
    payload = item.get("payload")
    if isinstance(payload, str):
        # Older servers hand back as text what they were given as an object.
        with suppress(MalformedError):
            payload = parse_value(payload.encode("utf-8"))
    run = payload.get("run") if isinstance(payload, dict) else None
    return Deployment(id=member(item, "id", int), run=run if isinstance(run, str) else "")


def latest_state(items: Sequence[dict[str, Any]]) -> str:
    """The state of the newest status; they come newest first."""
    state = items[0].get("state") if items else None
    return state if isinstance(state, str) else ""


def delivery_payload(answer: Any) -> dict[str, Any]:
    """The payload that a delivery carried.

    :raises MalformedError: GitHub does not tell.
    """
    if not isinstance(answer, dict):
        raise MalformedError("GitHub answered something else than a delivery")
    return member(answer, "request.payload", dict)


def _hook(item: dict[str, Any]) -> Hook:
    events, last = item.get("events"), item.get("last_response")
    status, message = _last(last if isinstance(last, dict) else {})
    config = member(item, "config", dict)
    return Hook(
        id=member(item, "id", int),
        url=member(config, "url", str),
        active=member(item, "active", bool),
        events=tuple(name for name in events if isinstance(name, str)) if isinstance(events, list) else (),
        content_type=member(config, "content_type", str, null=True) or "form",
        # GitHub writes a number as text, and people who use its API write either.
        insecure=str(config.get("insecure_ssl", "0")) != "0",
        secret=bool(config.get("secret")),
        status=status,
        message=message,
    )


def _last(response: dict[str, Any]) -> tuple[int | None, str]:
    code, message = response.get("code"), response.get("message")
    words = message[:200] if isinstance(message, str) else ""
    if type(code) is int:
        return code, words
    # Also without a code it was made, if GitHub says what came of it.
    return (0 if words else None), words


def _delivered(item: dict[str, Any]) -> Delivered:
    status = member(item, "status_code", int)
    return Delivered(
        id=member(item, "id", int),
        guid=member(item, "guid", str),
        at=moment(item, "delivered_at") or "",
        event=member(item, "event", str),
        action=member(item, "action", str, null=True) or "",
        ok=200 <= status < 300,
    )


def _each(read: Callable[[dict[str, Any]], T], items: Iterable[dict[str, Any]]) -> Iterator[T]:
    for item in items:
        with suppress(MalformedError):
            yield read(item)
