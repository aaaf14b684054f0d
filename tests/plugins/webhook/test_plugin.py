"""A whole server, from a signed delivery of a sender without a plugin to the flag."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.plugins.webhook.conftest import PAYLOAD, SECRET, webhook

from duct_tape.api import Sample
from duct_tape.testing import Harness
from duct_tape_webhook.plugin import simulated

CONFIGURATION = """
[triggers.deploy]
action = "touch-file"
filename = "{{{{ application }}}}"
content = "{{{{ release.tag }}}} {{{{ action }}}} {{{{ payload.build.number }}}}"
[plugins.touch-file]

[plugins.ci]
use = "webhook"
secrets = [{{ file = "{folder}/secret" }}]
triggers = ["deploy"]
delivery_header = "X-Id"
[plugins.ci.hmac]
header = "X-Signature"
prefix = "sha256="
[plugins.ci.rules.release]
when = 'payload.event == "release"'
application = "{{{{ payload.project.name }}}}"
version = "{{{{ payload.version }}}}"
published_at = "{{{{ payload.published_at }}}}"
sample = "{folder}/sample.json"
[plugins.ci.rules.docs]
when = 'payload.event == "release" and payload.labels contains "docs"'
application = "docs"
version = "{{{{ payload.version }}}}"

[plugins.legacy]
use = "webhook"
secrets = [{{ file = "{folder}/secret" }}]
triggers = ["deploy"]
[plugins.legacy.token]
header = "X-Token"
[plugins.legacy.rules.all]
application = "legacy"
version = "{{{{ payload.version }}}}"
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Harness]:
    (tmp_path / "secret").write_bytes(SECRET.reveal())
    (tmp_path / "sample.json").write_text(json.dumps(PAYLOAD))
    with Harness(tmp_path / "server", CONFIGURATION.format(folder=tmp_path)) as harness:
        yield harness


def send(server: Harness, number: str = "d-1", **changes: Any) -> httpx2.Response:
    signed = webhook().verifier.sign(simulated(json.dumps(PAYLOAD | changes).encode())).with_header("X-Id", number)
    return server.client.post("/integrations/ci", content=signed.body, headers=list(signed.headers))


def test_a_delivery_becomes_a_flag_once(server: Harness) -> None:
    assert send(server).status_code == 202
    for number in ("d-1", "d-2"):
        assert send(server, number).json()["status"] == "duplicate"
    server.settle()
    assert server.flags() == {"shop": "v1.0.0 release 7"}


def test_each_rule_that_holds_makes_a_run(server: Harness) -> None:
    assert send(server, labels=["docs"]).status_code == 202
    # The same again, by its id: neither is made twice.
    assert send(server, labels=["docs"]).json()["status"] == "duplicate"
    server.settle()
    assert server.flags() == {"shop": "v1.0.0 release 7", "docs": "v1.0.0 docs 7"}


def test_an_older_version_does_not_replace_a_newer_one(server: Harness) -> None:
    assert send(server, "d-1", version="v2").status_code == 202
    late = send(server, "d-2", version="v1", published_at="2026-01-01T00:00:00Z").json()
    assert late["status"] == "ignored"
    assert "v1 is older than v2" in late["reason"]


def test_what_is_missing_deploys_nothing(server: Harness) -> None:
    answer = send(server, version=None)
    assert (answer.status_code, answer.json()["status"]) == (200, "ignored")
    assert "`version` cannot be made" in answer.json()["reason"]
    test = send(server, event="test").json()
    assert test["status"] == "ignored"
    assert 'rule `release`: the filter `payload.event == "release"` does not hold; rule `docs`: ' in test["reason"]
    assert server.flags() == {}


def test_strangers_are_refused(server: Harness) -> None:
    assert server.post("ci", PAYLOAD).status_code == 401
    assert server.post("ci", PAYLOAD, {"X-Signature": "sha256=" + "0" * 64}).status_code == 401
    assert server.post("legacy", PAYLOAD, {"X-Token": "another"}).status_code == 401
    # Each instance has its own way, even with the same secret.
    assert server.post("ci", PAYLOAD, {"X-Token": "only for these tests"}).status_code == 401
    assert server.runs() == []


def test_several_instances_stand_beside_each_other(server: Harness) -> None:
    assert server.post("legacy", {"version": "3", "build": {"number": 1}}, {"X-Token": "only for these tests"}).json()
    server.settle()
    assert server.flags() == {"legacy": "3 all 1"}


def test_a_sample_is_the_file_of_a_rule(server: Harness) -> None:
    assert server.send("ci").status_code == 202
    assert server.send("ci", Sample(action="release")).json()["status"] == "duplicate"
    assert server.send("ci", signed=False).status_code == 401
    server.settle()
    server.assert_flags("shop")
