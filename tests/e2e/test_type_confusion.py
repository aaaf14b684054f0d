"""A server and correctly signed releases in which one value after the other is of another type."""

from __future__ import annotations

import http.client
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from tests.confusion_support import PAYLOADS, REAL, confused, replaced
from tests.e2e.machine import SECRET, Machine, until

from duct_tape_github import receive
from duct_tape_github.sample import release_payload
from signing import github_signature


def sample(action: str) -> dict[str, Any]:
    return release_payload("acme/site", action=action, published_at="2026-01-01T00:00:00Z")


def real(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PAYLOADS / name).read_bytes())
    return found


CASES = {action: sample(action) for action in ("published", "released")}
if PAYLOADS.is_dir():
    # All of them are tried without a socket; these two, published and released, over one.
    CASES |= {name: real(name) for name in (REAL[0], REAL[-1])}
# Each case has an application of its own, so that none is older than what another one has deployed.
APPLICATIONS = {name: f"app{number}" for number, name in enumerate(CASES)}


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    machine = Machine(tmp_path_factory.mktemp("machine"))
    for application in APPLICATIONS.values():
        machine.application(application, prereleases="true")
    server = machine.serve()
    yield machine
    ended = server.poll()
    machine.close()
    assert ended is None
    for word in ("Traceback", "fault of Duct Tape", "the integration failed"):
        assert not machine.said(word)


class Sender:
    """Sends signed bodies, on one connection as long as it lasts."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)

    def send(self, payload: Any) -> tuple[int, str]:
        body = json.dumps(payload).encode()
        signature = {receive.SIGNATURE: github_signature(SECRET, body)}
        headers = dict(receive.simulated("release", body).headers) | signature
        self.connection.request("POST", "/integrations/github", body, headers)
        with self.connection.getresponse() as answer:
            return answer.status, json.loads(answer.read())["status"]


@pytest.fixture
def sender(machine: Machine) -> Iterator[Sender]:
    sender = Sender(machine.port)
    yield sender
    sender.connection.close()


@pytest.mark.parametrize("name", CASES)
def test_no_mistyped_value_deploys_or_breaks_anything(machine: Machine, sender: Sender, name: str) -> None:
    payload, seen = CASES[name], Counter[str]()
    payload["repository"]["full_name"] = f"acme/{APPLICATIONS[name]}"
    assert sender.send(payload) == (202, "accepted")
    for place, value, kind in confused(payload):
        found = sender.send(replaced(payload, place, value))
        seen[kind] += 1
        where = f"{place} = {value!r}"
        if kind == "mistyped":
            assert found == (400, "malformed"), where
        elif kind == "unread":
            assert found == (200, "duplicate"), where
        else:
            assert found[0] in (200, 202, 400), where
    assert min(seen["mistyped"], seen["typed"], seen["unread"]) > 20


def test_whatever_was_sent_only_flags_of_ours_are_there(machine: Machine) -> None:
    until(lambda: len(machine.flags()) >= len(APPLICATIONS))
    assert set(machine.flags()) == set(APPLICATIONS.values())
    for name in machine.flags():
        assert json.loads((machine.volume / name).read_bytes())["application"] == name


@pytest.mark.parametrize("body", [None, True, 0, 1.5, "x", [], ["x"], [{}], {}])
def test_what_is_no_release_at_all_is_malformed(sender: Sender, body: Any) -> None:
    assert sender.send(body) == (400, "malformed")
