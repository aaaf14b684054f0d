"""Inputs to start from: our own samples, and real payloads where they lie beside the repository."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote_plus

from duct_tape.flags import Flag
from duct_tape.results import Result
from duct_tape_github.sample import package_payload, ping_payload, push_payload, release_payload, workflow_run_payload

ROOT = Path(__file__).resolve().parents[2]
PAYLOADS = ROOT.parent / "shared" / "payloads"
REPOSITORY = "acme/site"
# Larger ones would make each step slow, and hold nothing that smaller ones do not.
LARGEST = 32 * 1024


def payloads() -> Iterator[bytes]:
    """Bodies of deliveries."""
    for action in ("published", "released", "edited"):
        yield json.dumps(release_payload(REPOSITORY, action=action, prerelease=action == "published")).encode()
    yield json.dumps(release_payload(REPOSITORY, draft=True)).encode()
    yield json.dumps(ping_payload(REPOSITORY)).encode()
    for path in sorted(PAYLOADS.glob("github*/**/*.json")) if PAYLOADS.is_dir() else ():
        if path.stat().st_size <= LARGEST:
            yield path.read_bytes()


def deliveries() -> Iterator[bytes]:
    """Lines of headers, an empty line, and a body."""
    others = [
        ("push", push_payload(REPOSITORY)),
        ("push", push_payload(REPOSITORY, ref="refs/tags/v1")),
        ("package", package_payload(REPOSITORY)),
        ("registry_package", package_payload(REPOSITORY, event="registry_package")),
        ("workflow_run", workflow_run_payload(REPOSITORY)),
    ]
    for name, payload in others:
        named = f"X-GitHub-Event: {name}\nX-GitHub-Delivery: 1-a\nContent-Type: application/json\n\n"
        yield named.encode() + json.dumps(payload).encode()
    head = b"X-GitHub-Event: release\nX-GitHub-Delivery: 1-a\nContent-Type: application/%s\n\n"
    for body in payloads():
        yield head % b"json" + body
    form = f"payload={quote_plus(json.dumps(release_payload(REPOSITORY)))}".encode()
    yield head % b"x-www-form-urlencoded; charset=utf-8" + form


def signatures() -> Iterator[bytes]:
    """The same with headers that could pass for a signature."""
    for value in (b"sha256=" + b"0" * 64, b"sha1=" + b"0" * 40, b"sha256=" + b"F" * 64, b"sha256=\xff", b""):
        yield b"X-Hub-Signature-256: " + value + b"\n\n{}"
    yield b"X-Hub-Signature-256: a\nx-hub-signature-256: b\nX-Hub-Signature: sha1=c\n\n"


def json_texts() -> Iterator[bytes]:
    yield from payloads()
    yield b'{"a":[NaN,-Infinity,1e999,"\\ud800","\\u0000",{"a":1,"a":2}],"b":null}'
    yield b"\xef\xbb\xbf{}"
    yield '{"a":"é"}'.encode("utf-16")
    yield b'{"a":' * 70 + b"1" + b"}" * 70


def forms() -> Iterator[bytes]:
    yield b"payload=%7B%22a%22%3A1%7D"
    yield b"payload=1&payload=2&x=%ff+%C3%BC;a"


def answers() -> Iterator[bytes]:
    """What GitHub's API answers."""
    hook = {"id": 7, "active": True, "events": ["release"], "config": {"url": "https://h/", "insecure_ssl": 1}}
    yield json.dumps([{**hook, "last_response": {"code": None, "message": "x"}}]).encode()
    known = {"id": 1, "guid": "g", "delivered_at": "2026-01-02T03:04:05Z", "event": "release", "status_code": 200}
    yield json.dumps([{**known, "action": None}]).encode()
    yield json.dumps([{"id": 1, "payload": '{"run":"r"}'}, {"id": 2, "payload": {"run": 1}}]).encode()
    yield json.dumps({"request": {"payload": release_payload(REPOSITORY)}}).encode()


def links() -> Iterator[bytes]:
    yield b'<https://api.github.com/x?page=2>; rel="next", <https://api.github.com/x?page=9>; rel="last"'
    yield b"<//[::1]:99999/>;rel=next" + b"<a>;" * 20


def templates() -> Iterator[bytes]:
    """A template, a zero byte, and the variables as JSON."""
    values = json.dumps({"application": "a", "release": {"tag": "v1-é", "name": None}, "l": [1, None, "x"]}).encode()
    for source in (
        "{{ application }}--{{ release.tag | filename }}",
        "{% if release.name is defined and l | length > 2 %}{{ l[0] }}{% else %}{{ 'a' ~ l | last }}{% endif %}",
        "{{ release.tag.removeprefix('v').split('-')[0] | replace('1', release.tag) | tojson | urlencode }}",
        "{{ l | join('-') | default('x') | truncate(3) | trim('v') | upper | title | int + 1 }}",
        "{{ release.__class__ }}{{ 'a' * 10**8 }}{{ '%0500000000d' | format(1) }}{# x #}{% raw %}{{{% endraw %}",
    ):
        yield source.encode() + b"\0" + values


def flags() -> Iterator[bytes]:
    yield Flag(run="r1", application="a", tag="v1 ü\n", prerelease=True).to_line().encode()
    yield b'{"run":"\\ud800","application":"a\\u0000","tag":"$(id)","new":{"x":1e999}}'


def results() -> Iterator[bytes]:
    yield Result(run="r1", application="a", state="deployed", exit_code=0, duration=1.5, output="x\n").to_line()
    yield b'{"run":"r","application":"a","state":"failed","exit_code":-9,"duration":1e308,"output":"\\ud800"}'
    yield b'{"version":"1","last_scan":"2026-01-02T03:04:05.678Z","pid":1}'


def configurations() -> Iterator[bytes]:
    yield (ROOT / "conf" / "duct_tape.toml").read_bytes()
    for path in (ROOT / "tests" / "core" / "conf").glob("*.toml"):
        yield path.read_bytes()


def texts() -> Iterator[bytes]:
    for text in ("v1.2.3", "@acme/web@1.2.3", "-rf", "..", "ü🚀", "．．／", "\x1b[2J\r\n\u202e", "x" * 300):
        yield text.encode()
