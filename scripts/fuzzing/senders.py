"""The rules of the fuzzing over HTTP: what senders and strangers do, and what is right then."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from fuzzing.oracle import hold
from fuzzing.server import SECOND, Fuzzed
from proofs.machine import SECRET
from signing import github_signature

APPLICATIONS = st.sampled_from(["app0", "app1", "app2"])
WITH_PRERELEASES = "app2"
PATH = "/integrations/github"
LEAVES: Any = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just([]) | st.just({})
PLACES = st.sampled_from([
    "action", "release", "release.id", "release.tag_name", "release.draft", "release.prerelease", "release.name",
    "release.published_at", "release.updated_at", "release.author", "repository", "repository.id",
    "repository.full_name", "hook",
])  # fmt: skip
# A stranger's release behind or inside of each of these must never count as signed.
FRAMINGS: Any = st.sampled_from([
    b"Content-Length: 5\r\nContent-Length: %d\r\n", b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: chunked\r\nContent-Length: %d\r\n", b"Transfer-Encoding: xchunked\r\nX: %d\r\n",
    b"Transfer-Encoding : chunked\r\nX: %d\r\n", b"Content-Length: +%d\r\n", b"Content-Length: -%d\r\n",
    b"Content-Length: 0x%x\r\n", b"Content-Length: %d, 5\r\n", b"Content-Length:\r\n %d\r\n", b"X: %d\r\n",
    b"Content-Length: %d\n", b"Content-Length: %d\r\nX\0: y\r\n", b"Content-Length: %d\r\n bad: fold\r\n",
    b"Content-Length: %d\r\nExpect: 100-continue\r\n", b"Content-Length: %d\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n",
    b"Content-Length: 99999999999999999999%d\r\n", b"Content-Length: %d\r\nX: " + b"y" * 70_000 + b"\r\n",
    b"Content-Length: %d\r\nContent-Encoding: gzip\r\n", b"Content-Length: %d\r\n" + b"X: y\r\n" * 500,
])  # fmt: skip
LINES = st.sampled_from([
    b"POST %s HTTP/1.1", b"POST %s HTTP/1.0", b"POST %s HTTP/9.9", b"post %s HTTP/1.1", b"GET %s HTTP/1.1",
    b"POST http://x%s HTTP/1.1", b"POST //%s HTTP/1.1", b"POST %s", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nPOST %s HTTP/1.1",
    b"POST %s%%2e%%2e/github HTTP/1.1", b"POST %s?x=%%00 HTTP/1.1", b"\r\nPOST %s HTTP/1.1", b"\x16\x03\x01 %s",
])  # fmt: skip


class Senders(RuleBasedStateMachine):
    """One example: requests in any order, all to one server, which outlives it."""

    server: ClassVar[Fuzzed]

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[str, bytes]] = []

    @rule(
        application=APPLICATIONS,
        action=st.sampled_from(["published", "released", "created", "edited", "deleted"]),
        prerelease=st.booleans(),
        draft=st.booleans(),
        pieces=st.integers(1, 5),
    )
    def release(self, application: str, action: str, prerelease: bool, draft: bool, pieces: int) -> None:
        number = self.server.number()
        tag = f"v{number}"
        payload = self.server.payload(application, tag, action=action, prerelease=prerelease, draft=draft)
        wanted = action in ("published", "released") and not draft
        if prerelease:
            wanted = wanted and action == "published" and application == WITH_PRERELEASES
        if wanted:
            self.server.accepted.add((application, tag))
        body = json.dumps(payload).encode()
        [(status, said)] = self.server.exchange(signed(f"d-{number}", body), pieces, expected=1)
        answer = json.loads(said)
        hold((status, answer["status"]) == ((202, "accepted") if wanted else (200, "ignored")), f"{status} {said!r}")
        self.sent.append((f"d-{number}", body))

    @rule(chosen=st.randoms(use_true_random=False), other=st.booleans())
    def again(self, chosen: Any, other: bool) -> None:
        """A redelivery, or the same release by another delivery: nothing is deployed twice."""
        if self.sent:
            delivery, body = chosen.choice(self.sent)
            request = signed(f"{delivery}-{self.server.number()}" if other else delivery, body)
            [(status, said)] = self.server.exchange(request, expected=1)
            hold(status == 200 and json.loads(said)["status"] in ("duplicate", "ignored"), f"{status} {said!r}")

    @rule(
        application=APPLICATIONS, place=PLACES, value=LEAVES, event=st.sampled_from(["release", "push", "ping", "x y"])
    )
    def odd(self, application: str, place: str, value: Any, event: str) -> None:
        """A signed payload with something odd in one place."""
        number = self.server.number()
        payload = self.server.payload(application, f"v{number}")
        *parents, last = place.split(".")
        target = payload
        for key in parents:
            target = target[key]
        target[last] = value
        self._signed(number, payload, json.dumps(payload).encode("utf-8", "surrogatepass"), event)

    @rule(application=APPLICATIONS, at=st.floats(0, 1), inserted=st.binary(max_size=20), cut=st.integers(0, 20))
    def broken(self, application: str, at: float, inserted: bytes, cut: int) -> None:
        """A signed payload with a few other bytes."""
        number = self.server.number()
        whole = json.dumps(self.server.payload(application, f"v{number}")).encode()
        where = int(at * len(whole))
        body = whole[:where] + inserted + whole[where + cut :]
        try:
            payload = json.loads(body)
        except (ValueError, RecursionError):
            payload = None
        self._signed(number, payload, body, "release")

    def _signed(self, number: int, payload: Any, body: bytes, event: str) -> None:
        if event == "release" and (found := deployed_by(payload)):
            if later(payload):
                return  # Right, but then all that follows would be older.
            self.server.accepted.add(found)
        [(status, said)] = self.server.exchange(signed(f"d-{number}", body, event), expected=1)
        hold(status in (200, 202, 400), f"{status} {said!r}")
        if status == 202:
            hold(event == "release" and deployed_by(payload), f"accepted: {body!r}")

    @rule(
        application=APPLICATIONS,
        signature=st.sampled_from(["", "sha256=" + "0" * 64, "sha1=" + "0" * 40, "twice", "of another", "prefix", "é"]),
    )
    def forged(self, application: str, signature: str) -> None:
        """A release of a stranger."""
        body = json.dumps(self.server.payload(application, f"evil-{self.server.number()}")).encode()
        right = github_signature(SECRET, body)
        values = {"twice": [right, right], "of another": [github_signature(b"x", body)], "prefix": [right[:-1]], "": []}
        head = b"".join(
            b"X-Hub-Signature-256: " + value.encode() + b"\r\n" for value in values.get(signature, [signature])
        )
        found = self.server.exchange(request(b"d-evil", body, head), expected=1)
        hold(all(status in (400, 401) for status, _ in found), f"forged: {found!r}")

    @rule(application=APPLICATIONS, line=LINES, framing=FRAMINGS, pieces=st.integers(1, 4), junk=st.binary(max_size=30))
    def misframed(self, application: str, line: bytes, framing: bytes, pieces: int, junk: bytes) -> None:
        """What is not quite HTTP, with an unsigned release somewhere inside."""
        body = json.dumps(self.server.payload(application, f"evil-{self.server.number()}")).encode()
        hidden = request(b"d-hidden", body, b"X-Hub-Signature-256: sha256=" + b"0" * 64 + b"\r\n")
        head = line % PATH.encode() + b"\r\nHost: x\r\n" + framing % len(body) if b"%" in framing else framing
        found = self.server.exchange(head + b"\r\n" + junk + body + b"\r\n0\r\n\r\n" + hidden, pieces)
        hold(all(status != 202 for status, _ in found), f"accepted: {found!r}")
        coding = b"Transfer-Encoding" in framing
        hold(coding or all(status != 501 for status, _ in found), f"501 without a transfer coding: {found!r}")

    @rule(
        application=APPLICATIONS,
        order=st.lists(st.sampled_from(["get", "forged", "good", "nowhere"]), min_size=1, max_size=6),
    )
    def pipelined(self, application: str, order: list[str]) -> None:
        """Several requests on one connection, without waiting: each gets its own answer, in order."""
        requests, expected = [], []
        for kind in order:
            number = self.server.number()
            tag = f"v{number}" if kind == "good" else f"evil-{number}"
            body = json.dumps(self.server.payload(application, tag)).encode()
            if kind == "good":
                self.server.accepted.add((application, tag))
                requests.append(signed(f"d-{number}", body))
            elif kind == "forged":
                wrong = b"X-Hub-Signature-256: sha256=" + b"0" * 64 + b"\r\n"
                requests.append(request(b"d-evil", body, wrong))
            else:
                requests.append(f"GET {'/healthz' if kind == 'get' else '/x'} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            expected.append({"good": 202, "forged": 401, "get": 200, "nowhere": 404}[kind])
        found = [status for status, _ in self.server.exchange(b"".join(requests), expected=len(requests))]
        # After a refusal the connection may be closed: what follows could be anything.
        hold(found == expected[: len(found)], f"{found} instead of {expected}")

    @invariant()
    def nothing_else_is_deployed(self) -> None:
        self.server.look()


def deployed_by(payload: Any) -> tuple[str, str] | None:
    """Application and tag that a payload may deploy, read without the code under test; None for nothing."""
    try:
        release, name = payload["release"], payload["repository"]["full_name"]
        right = payload["action"] in ("published", "released") and release["draft"] is False and release["tag_name"]
        application = name.lower().removeprefix("acme/")
        pre = release["prerelease"]
        may = pre is False or (pre is True and application == WITH_PRERELEASES and payload["action"] == "published")
        return (application, release["tag_name"]) if right and may and name.lower().startswith("acme/app") else None
    except (TypeError, KeyError, AttributeError):
        return None


def later(payload: Any) -> bool:
    """Whether a time in it is another than all releases here have."""
    for key in ("published_at", "updated_at"):
        with suppress(TypeError, ValueError):
            when = payload["release"].get(key)
            if datetime.fromisoformat(when) and not (when.startswith(SECOND) and len(when) == len(f"{SECOND}.000000Z")):
                return True
    return False


def signed(delivery: str, body: bytes, event: str = "release") -> bytes:
    """A request as GitHub makes it."""
    signature = f"X-Hub-Signature-256: {github_signature(SECRET, body)}\r\n"
    return request(delivery.encode(), body, signature.encode(), event.encode())


def request(delivery: bytes, body: bytes, head: bytes = b"", event: bytes = b"release") -> bytes:
    """A request with these headers besides the usual ones."""
    return b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" % PATH.encode() + (
        b"X-GitHub-Event: %s\r\nX-GitHub-Delivery: %s\r\n%sContent-Length: %d\r\n\r\n%s"
        % (event, delivery, head, len(body), body)
    )
