"""What senders and strangers can put into a request, over a real socket, to a server with the GitHub integration."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
from tests.e2e.machine import SECRET, Machine, signed, until

from duct_tape.api import RawDelivery
from duct_tape_github import receive
from duct_tape_github.sample import release_payload
from signing import github_signature

FORM = "application/x-www-form-urlencoded"
BODY = json.dumps(release_payload("acme/app1", tag="v1", published_at="2026-01-01T00:00:00Z")).encode()


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    machine = Machine(tmp_path_factory.mktemp("machine"))
    for name in ("app1", "app2"):
        machine.application(name)
    server = machine.serve()
    yield machine
    ended = server.poll()
    machine.close()
    assert ended is None
    assert not machine.said("Traceback")


def exchange(machine: Machine, body: bytes, *headers: bytes, kind: str = "application/json") -> bytes:
    """Everything that the server answers to a release with these headers beside the usual ones."""
    usual = ["POST /integrations/github HTTP/1.1", "Host: x", "Connection: close", f"Content-Type: {kind}"]
    usual += [f"Content-Length: {len(body)}", "X-GitHub-Event: release", "X-GitHub-Delivery: 1-a"]
    with socket.create_connection(("127.0.0.1", machine.port), timeout=20) as connection:
        connection.sendall(b"\r\n".join([*(line.encode() for line in usual), *headers, b"", body]))
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    return re.sub(rb"date: [^\r]+", b"date: -", answer)


def status(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)["status"]


def header(value: str | bytes) -> bytes:
    return b"X-Hub-Signature-256: " + (value if isinstance(value, bytes) else value.encode())


def digest(secret: bytes, body: bytes, name: str = "sha256") -> str:
    return f"{name}={hmac.new(secret, body, name).hexdigest()}"


GOOD = digest(SECRET, BODY)
FORGED: dict[str, list[bytes]] = {
    "none": [],
    "empty": [header("")],
    "only its name": [header("sha256=")],
    "a digest that is cut": [header(GOOD[:-1])],
    "its first byte alone": [header(GOOD[:9])],
    "a digest that goes on": [header(f"{GOOD}0")],
    "no name": [header(GOOD.removeprefix("sha256="))],
    "another name": [header(GOOD.replace("sha256", "SHA256"))],
    "something in front": [header(f"x{GOOD}")],
    "upper case": [header(f"sha256={GOOD.removeprefix('sha256=').upper()}")],
    "base64": [header("sha256=" + base64.b64encode(bytes.fromhex(GOOD.removeprefix("sha256="))).decode())],
    "a list": [header(f"{GOOD},{GOOD}")],
    "twice": [header(GOOD), header(GOOD)],
    "a wrong one behind it": [header(GOOD), header(digest(b"another", BODY))],
    "SHA-1": [b"X-Hub-Signature: " + digest(SECRET, BODY, "sha1").encode()],
    "SHA-1 in its place": [header(digest(SECRET, BODY, "sha1"))],
    "SHA-512 in its place": [header(digest(SECRET, BODY, "sha512"))],
    "without a key": [header(f"sha256={hashlib.sha256(BODY).hexdigest()}")],
    "of the empty secret": [header(digest(b"", BODY))],
    "of the secret with a line end": [header(digest(SECRET + b"\n", BODY))],
    "of another body": [header(digest(SECRET, b"{}"))],
    "of the body without its last byte": [header(digest(SECRET, BODY[:-1]))],
    "no ASCII": [header("sha256=" + "é" * 32)],
    "no Unicode": [header(b"sha256=\xff\xfe")],
    "wide digits": [header(GOOD.translate({ord("1"): "１"}))],
    "under another name": [b"X_Hub_Signature_256: " + GOOD.encode()],
}


def test_whatever_is_no_signature_has_one_answer_and_leaves_nothing(machine: Machine) -> None:
    before = files(machine.folder)
    answers = {kind: exchange(machine, BODY, *headers) for kind, headers in FORGED.items()}
    assert {answer.split()[1] for answer in answers.values()} == {b"401"}
    assert len(set(answers.values())) == 1
    assert files(machine.folder) == before
    assert machine.flags() == []


def files(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file but the log, as it is on disk."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".log")
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in found}


def text(payload: dict[str, Any]) -> bytes:
    return json.dumps(payload).encode()


ODD: dict[str, bytes] = {
    "nothing": b"",
    "nesting": b"[" * 100_000,
    "nesting in objects": b'{"a":' * 100_000,
    "NaN": BODY.replace(b'"draft": false', b'"draft": NaN'),
    "infinity": BODY.replace(b'"draft": false', b'"draft": -Infinity'),
    "5,000 digits": BODY.replace(b'"draft": false', b'"draft": false, "x": ' + b"9" * 5000),
    "UTF-16": BODY.decode().encode("utf-16"),
    "UTF-7": BODY.replace(b"v1", b"+AHY-1\xff"),
    "a byte order mark": b"\xef\xbb\xbf" + BODY,
    "overlong": BODY.replace(b"v1", b"\xc0\xaf"),
    "a key twice": BODY.replace(b'"draft": false', b'"draft": true, "draft": false'),
    "half a character": BODY.replace(b'"v1"', b'"\\ud800"'),
    "a zero": BODY.replace(b'"v1"', b'"v1\\u0000"'),
    "half of it": BODY[: len(BODY) // 2],
    "something behind it": BODY + b"x",
    "another one behind it": BODY + BODY,
    "a comment": b"// x\n" + BODY,
    "600,000 lists": b'{"a":[' + b"[]," * 600_000 + b"[]]}",
    "3,000,000 numbers": b'{"a":[' + b"1," * 3_000_000 + b"1]}",
    "an empty tag": BODY.replace(b'"tag_name": "v1"', b'"tag_name": 1'),
    "a tag of a kilobyte and more": BODY.replace(b'"v1"', b'"' + b"v" * 1001 + b'"'),
    "a time that is none": BODY.replace(b"2026-01-01T00", b"2026-13-01T00"),
}
KINDS = {
    "another charset": (415, "application/json; charset=utf-7", BODY),
    "a charset that is none": (415, "application/json; charset=bogus", BODY),
    "plain text": (415, "text/plain", BODY),
    "parts": (
        415,
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="payload"\r\n\r\n{}',
    ),
    "no form": (400, FORM, BODY),
    "a form with two payloads": (400, FORM, b"payload=%7B%7D&payload=%7B%7D"),
    "a form that is no text": (400, FORM, b"payload=%ff%fe"),
    "a form of nothing": (400, FORM, b"payload="),
}


@pytest.mark.parametrize("kind", ODD)
def test_a_signed_body_that_is_no_release_is_malformed(machine: Machine, kind: str) -> None:
    assert ODD[kind] != BODY
    answer = exchange(machine, ODD[kind], header(github_signature(SECRET, ODD[kind])))
    assert status(answer) == (400, "malformed")
    form = f"payload={quote_plus(ODD[kind])}".encode()
    answer = exchange(machine, form, header(github_signature(SECRET, form)), kind=FORM)
    assert status(answer)[0] == 400


@pytest.mark.parametrize("kind", KINDS)
def test_a_signed_body_of_another_kind_is_refused(machine: Machine, kind: str) -> None:
    code, media, body = KINDS[kind]
    assert status(exchange(machine, body, header(github_signature(SECRET, body)), kind=media))[0] == code


def again(delivery: RawDelivery, **headers: str) -> RawDelivery:
    """The same body and signature under other headers, which GitHub does not sign."""
    changed = {name.lower().replace("_", "-"): value for name, value in headers.items()}
    given = [(name, value) for name, value in delivery.headers if name.lower() not in changed]
    return RawDelivery.build([*given, *changed.items()], delivery.body)


def test_one_release_is_one_run_whoever_hands_it_in_and_how_often(machine: Machine) -> None:
    recorded = signed("acme/app1", tag="v2", published_at="2026-01-02T00:00:00Z")
    first = machine.send(recorded)
    assert (first.code, first.status) == (202, "accepted")
    for same in (recorded, again(recorded, x_github_delivery="another-id")):
        assert (machine.send(same).code, machine.send(same).status) == (200, "duplicate")
    for name, wanted in (("push", "ignored"), ("ping", "pong"), ("package", "ignored"), ("RELEASE", "malformed")):
        assert machine.send(again(recorded, x_github_event=name)).status == wanted
    held = signed("acme/app1", tag="v1", published_at="2026-01-01T00:00:00Z")
    assert (machine.send(held).status, machine.send(held).code) == ("ignored", 200)
    for at in range(0, len(recorded.body), 97):
        body = recorded.body[:at] + bytes([recorded.body[at] ^ 1]) + recorded.body[at + 1 :]
        assert machine.send(RawDelivery.build(recorded.headers, body)).code == 401
    until(lambda: machine.flags() == ["app1"])
    assert json.loads((machine.volume / "app1").read_text())["run"] == first.run


def test_a_release_deploys_what_its_repository_is_bound_to_and_nothing_else(machine: Machine) -> None:
    for name in ("acme/nobody", "acme/app1/../app2", "evil/app2", "acme/app2 ", "acme\uff0fapp2"):
        assert machine.send(signed(name, tag="v1")).status == "ignored"
    payload = release_payload("acme/app2", tag="v1")
    payload["release"] |= {"name": "app1", "target_commitish": "acme/app1", "author": {"login": "acme/app1"}}
    payload |= {"application": "app1", "trigger": "other", "vars": {"application": "app1"}}
    body = text(payload)
    headers = [*receive.simulated("release", body).headers, (receive.SIGNATURE, github_signature(SECRET, body))]
    assert machine.send(RawDelivery.build(headers, body)).body["runs"][0]["application"] == "app2"
    until(lambda: "app2" in machine.flags())
    assert json.loads((machine.volume / "app2").read_text())["application"] == "app2"


@pytest.mark.parametrize("secret", ["", "\n", "changeme", "short", "a" * 40, "secret"])
def test_the_server_does_not_start_with_a_secret_that_is_none(tmp_path: Path, secret: str) -> None:
    machine = Machine(tmp_path)
    (tmp_path / "secret").write_text(secret)
    command = [sys.executable, "-m", "duct_tape", "serve", "--config", machine.configuration.name]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert re.search(r"^error: the file secret (is empty|holds a placeholder|is shorter)", done.stderr, re.MULTILINE)
