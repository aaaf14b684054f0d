"""GitHub's REST API as far as this project uses it; `fake_server` puts it on a socket.

It is as strict as GitHub is: about the token and its permissions, about headers, about what an order may hold. It
pages, it answers 304 to an ETag that still holds, and it counts requests.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from attrs import define, field, frozen

from duct_tape_github.sample import release_payload

TOKEN = "github_pat_11AAAAAAA0123456789"
STATES = {"error", "failure", "inactive", "in_progress", "queued", "pending", "success"}


@frozen
class Answer:
    """One answer, in place of the one that the data would give.

    :param body: bytes as they are, anything else as JSON.
    """

    status: int = 200
    body: Any = field(factory=dict)
    headers: Mapping[str, str] = field(factory=dict)


@frozen
class Asked:
    """A request that came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@define(eq=False)
class FakeGitHub:
    """The data of some repositories, and what was asked.

    :param script: answers by path, each given once, before any from the data.
    :param gates: requests of these paths wait until the gate is open.
    :param clock: what its own clock shows, in seconds since 1970.
    :param limit: so many requests are left in this hour; None stands for enough.
    """

    url: str = ""
    token: str = TOKEN
    permissions: set[str] = field(factory=lambda: {"hooks", "releases", "deployments"})
    hooks: dict[str, list[dict[str, Any]]] = field(factory=dict)
    deliveries: list[dict[str, Any]] = field(factory=list)
    releases: dict[str, list[dict[str, Any]]] = field(factory=dict)
    deployments: list[dict[str, Any]] = field(factory=list)
    statuses: dict[int, list[dict[str, Any]]] = field(factory=dict)
    script: dict[str, list[Answer]] = field(factory=dict)
    gates: dict[str, threading.Event] = field(factory=dict)
    limit: int | None = None
    networks: list[str] = field(factory=lambda: ["192.30.252.0/22", "2a0a:a440::/29"])
    clock: Callable[[], float] = time.time
    asked: list[Asked] = field(factory=list)
    complaints: list[str] = field(factory=list)
    changed: threading.Condition = field(factory=threading.Condition)

    def hook(self, repository: str, url: str, **members: Any) -> dict[str, Any]:
        """Add a webhook."""
        number = 1000 + sum(map(len, self.hooks.values()))
        hook = {
            "type": "Repository",
            "id": number,
            "name": "web",
            "active": True,
            "events": ["release"],
            "config": {"content_type": "json", "insecure_ssl": "0", "url": url, "secret": "********"},
            "last_response": {"code": 202, "status": "active", "message": "OK"},
            **members,
        }
        self.hooks.setdefault(repository, []).append(hook)
        return hook

    def release(self, repository: str, tag: str, published_at: str, **settings: Any) -> dict[str, Any]:
        """Add a release; returns the payload of its webhook."""
        payload = release_payload(repository, tag=tag, published_at=published_at, **settings)
        self.releases.setdefault(repository, []).insert(0, payload["release"])
        return payload

    def delivered(self, hook: Mapping[str, Any], payload: Mapping[str, Any], **members: Any) -> dict[str, Any]:
        """Add a delivery, as a rule one that failed just now."""
        number = 5000 + len(self.deliveries)
        delivery = {
            "id": number,
            "guid": f"0b989ba4-242f-11e5-81e1-{number:012d}",
            "delivered_at": ago(60),
            "redelivery": False,
            "duration": 0.03,
            "status": "failed to connect to host",
            "status_code": 502,
            "event": "release",
            "action": payload.get("action"),
            "hook": hook["id"],
            "request": {"headers": {"X-GitHub-Event": "release"}, "payload": dict(payload)},
            "response": {"headers": {}, "payload": ""},
            **members,
        }
        self.deliveries.insert(0, delivery)
        return delivery

    def states(self, number: int = 0) -> list[str]:
        """The states of a deployment, oldest first, by its position."""
        return [status["state"] for status in self.statuses.get(number + 1, [])]

    def wait_for(self, done: Callable[[], bool], seconds: float = 10.0) -> None:
        """Wait until something is the case, which only a request can bring about."""
        with self.changed:
            assert self.changed.wait_for(done, seconds), [str(asked) for asked in self.asked]

    def count(self, path: str) -> int:
        return sum(asked.path == path for asked in self.asked)


def ago(seconds: float) -> str:
    """A time as GitHub writes it."""
    return datetime.fromtimestamp(time.time() - seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def reset() -> str:
    """When the next hour begins, as GitHub writes it."""
    return str(int(time.time()) + 1800)


def answer(fake: FakeGitHub, asked: Asked) -> Answer:
    """What GitHub answers to a request."""
    if asked.path == "/meta" and "authorization" not in asked.headers:
        return Answer(body={"hooks": fake.networks, "web": ["0.0.0.0/0"]})
    if asked.headers.get("authorization") != f"Bearer {fake.token}":
        return Answer(401, {"message": "Bad credentials"})
    for name, wanted in (("accept", "application/vnd.github+json"), ("x-github-api-version", "2022-11-28")):
        if asked.headers.get(name) != wanted:
            fake.complaints.append(f"{asked}: {name} is {asked.headers.get(name)!r}")
    if not asked.headers.get("user-agent"):
        return Answer(403, {"message": "Request forbidden by administrative rules"})
    _, _, owner, name, *rest = [*asked.path.split("/"), "", ""]
    repository = f"{owner}/{name}".lower()
    known = {known.lower() for known in (*fake.hooks, *fake.releases)}
    if not asked.path.startswith("/repos/") or repository not in known:
        return Answer(404, {"message": "Not Found"})
    what = next((part for part in rest if part), "")
    if what and what not in fake.permissions:
        return Answer(403, {"message": "Resource not accessible by personal access token"})
    match [part for part in rest if part]:
        case []:
            return Answer(200, release_payload(f"{owner}/{name}")["repository"])
        case ["hooks"]:
            return _page(fake, asked, fake.hooks.get(f"{owner}/{name}", []))
        case ["hooks", number, "deliveries"]:
            mine = [item for item in fake.deliveries if item["hook"] == int(number)]
            return _page(fake, asked, [_summary(item) for item in mine], "cursor")
        case ["hooks", _, "deliveries", number]:
            return Answer(200, next(item for item in fake.deliveries if item["id"] == int(number)))
        case ["releases"]:
            return _page(fake, asked, fake.releases.get(f"{owner}/{name}", []))
        case ["releases", number]:
            # A draft is shown to those who may edit it; to others it is not there.
            found = [item for item in fake.releases.get(f"{owner}/{name}", []) if str(item["id"]) == number]
            return Answer(200, found[0]) if found else Answer(404, {"message": "Not Found"})
        case ["deployments"] if asked.method == "GET":
            wanted_members = {key: asked.query[key] for key in ("ref", "environment", "task") if key in asked.query}
            found = [item for item in fake.deployments if wanted_members.items() <= item.items()]
            return _page(fake, asked, found[::-1])
        case ["deployments"]:
            return _deploy(fake, asked, f"{owner}/{name}")
        case ["deployments", number, "statuses"] if asked.method == "GET":
            return _page(fake, asked, fake.statuses[int(number)][::-1])
        case ["deployments", number, "statuses"]:
            return _status(fake, asked, int(number))
    return Answer(404, {"message": "Not Found"})


def _summary(delivery: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in delivery.items() if key not in ("request", "response", "hook")}


def _page(fake: FakeGitHub, asked: Asked, items: Sequence[Any], key: str = "page") -> Answer:
    size = int(asked.query.get("per_page", "30"))
    if not 1 <= size <= 100:
        fake.complaints.append(f"{asked}: per_page is {size}")
    # A cursor says as little as GitHub's: it is not a number that somebody could count on.
    number = int(asked.query.get(key, "1").removeprefix("v1_"))
    headers = {}
    if len(items) > number * size:
        following = f"v1_{number + 1}" if key == "cursor" else number + 1
        address = f"{fake.url}{asked.path}?{urlencode({**asked.query, key: following})}"
        headers = {"Link": f'<{fake.url}{asked.path}>; rel="first", <{address}>; rel="next"'}
    return Answer(200, list(items[(number - 1) * size : number * size]), headers)


def _deploy(fake: FakeGitHub, asked: Asked, repository: str) -> Answer:
    body = asked.body
    tags = [release["tag_name"] for release in fake.releases.get(repository, [])]
    if body.get("ref") not in tags:
        return Answer(422, {"message": f"No ref found for: {body.get('ref')}"})
    if body.get("required_contexts") != [] or body.get("auto_merge") is not False:
        return Answer(409, {"message": "Conflict: Commit status checks failed for master."})
    made = {"id": len(fake.deployments) + 1, **body}
    fake.deployments.append(made)
    fake.statuses[made["id"]] = []
    return Answer(201, made)


def _status(fake: FakeGitHub, asked: Asked, number: int) -> Answer:
    body = asked.body
    if body.get("state") not in STATES or len(body.get("description", "")) > 140:
        return Answer(422, {"message": "Validation Failed"})
    made = {"id": sum(map(len, fake.statuses.values())) + 1, **body}
    fake.statuses[number].append(made)
    return Answer(201, made)
