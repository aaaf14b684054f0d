"""A whole server, from a signed delivery to the flag."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.plugins.standard_webhooks.conftest import PAYLOAD, SECRET, sender

from duct_tape.api import RawDelivery
from duct_tape.assembly import assemble
from duct_tape.testing import FakeClock, Harness

CONFIGURATION = """
[triggers.deploy]
action = "touch-file"
filename = "{{{{ application }}}}"
content = "{{{{ release.tag }}}} {{{{ event }}}}"
[plugins.touch-file]
[plugins.standard-webhooks]
secrets = [{{ file = "{folder}/secret" }}]
triggers = ["deploy"]
[plugins.standard-webhooks.rules.release]
when = 'event == "release.published"'
application = "{{{{ payload.data.project }}}}"
version = "{{{{ payload.data.version }}}}"
published_at = "{{{{ payload.timestamp }}}}"
sample = "{folder}/sample.json"
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Harness]:
    (tmp_path / "secret").write_bytes(SECRET.reveal())
    (tmp_path / "sample.json").write_text(json.dumps(PAYLOAD))
    with Harness(tmp_path / "server", CONFIGURATION.format(folder=tmp_path), clock=FakeClock()) as harness:
        yield harness


def post(server: Harness, delivery: RawDelivery) -> httpx2.Response:
    path = "/integrations/standard-webhooks"
    return server.client.post(path, content=delivery.body, headers=list(delivery.headers))


def signed(number: str, body: bytes) -> RawDelivery:
    headers = {"Content-Type": "application/json", "webhook-id": number}
    return sender().verifier.sign(RawDelivery.build(headers, body))


def test_a_delivery_becomes_a_flag_once(server: Harness) -> None:
    body = json.dumps(PAYLOAD).encode()
    first = signed("msg_1", body)
    assert post(server, first).status_code == 202
    # Again after an hour of the sender's patience, with the same id and another signature; and as a new message.
    assert post(server, first).json()["status"] == "duplicate"
    server.advance(3600)
    assert post(server, first).status_code == 401
    assert post(server, signed("msg_1", body)).json()["status"] == "duplicate"
    assert post(server, signed("msg_2", body)).json()["status"] == "duplicate"
    server.settle()
    assert server.flags() == {"shop": "v1.0.0 release.published"}


def test_another_event_is_ignored(server: Harness) -> None:
    answer = post(server, signed("msg_1", json.dumps(PAYLOAD | {"type": "user.created"}).encode()))
    assert (answer.status_code, answer.json()["status"]) == (200, "ignored")
    assert "does not hold" in answer.json()["reason"]


def test_its_sample_is_sent_and_strangers_are_refused(server: Harness) -> None:
    assert server.send("standard-webhooks", signed=False).status_code == 401
    assert server.send("standard-webhooks").status_code == 202
    server.settle()
    server.assert_flags("shop")


def test_a_secret_of_another_form_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("4f1d0c5a9b3e4c7d8a6f")
    (tmp_path / "duct_tape.toml").write_text(CONFIGURATION.format(folder=tmp_path))
    [problem] = assemble(tmp_path / "duct_tape.toml").problems
    assert "holds no secret of Standard Webhooks" in str(problem)
