"""A whole server, from Bitbucket's delivery to the flag."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest
from attrs import define
from tests.plugins.bitbucket.conftest import SECRET, B, Bitbucket, cloud, data_center, ref, tag

from duct_tape.api import RawDelivery, Sample
from duct_tape.testing import Harness
from duct_tape_bitbucket import receive
from duct_tape_bitbucket.receive import PING, PUSH, REFS_CHANGED

CONFIGURATION = """
[triggers.deploy]
action = "touch-file"
filename = "{{{{ application }}}}"
content = "{{{{ release.tag }}}} {{{{ payload.push.changes[0].new.name }}}}"
[plugins.touch-file]
[plugins.bitbucket]
secrets = [{{ file = "{secret}" }}]
triggers = ["deploy"]
[plugins.bitbucket.repositories."acme/site"]
application = "{{{{ release.tag.split('-') | first }}}}"
"""


@define
class Server:
    harness: Harness
    bitbucket: Bitbucket

    def send(
        self, payload: Mapping[str, Any], event: str = PUSH, number: str = "1", sign: bool = True
    ) -> httpx2.Response:
        """One delivery."""
        made = self.bitbucket.delivery(payload, event)
        headers = {"X-Event-Key": event, "X-Request-UUID": number, "Content-Type": "application/json"}
        made = RawDelivery.build(headers, made.body)
        signed = receive.verifier([SECRET]).sign(made) if sign else made
        path = "/integrations/bitbucket"
        return self.harness.client.post(path, content=signed.body, headers=list(signed.headers))


@pytest.fixture
def server(tmp_path: Path, bitbucket: Bitbucket) -> Iterator[Server]:
    (tmp_path / "secret").write_bytes(SECRET.reveal())
    with Harness(tmp_path / "server", CONFIGURATION.format(secret=tmp_path / "secret")) as harness:
        yield Server(harness, bitbucket)


def test_each_tag_of_a_push_is_deployed_with_its_own_payload(server: Server) -> None:
    payload = cloud(tag("shop-1"), {"new": None}, tag("blog-2"))
    assert server.send(payload).status_code == 202
    server.harness.settle()
    assert server.harness.flags() == {"shop": "shop-1 shop-1", "blog": "blog-2 blog-2"}


def test_what_is_sent_again_is_deployed_once(server: Server) -> None:
    payload = cloud(tag("shop-1"), tag("blog-2"))
    for number in ("1", "1", "2"):
        server.send(payload, number=number)
    assert len(server.harness.runs()) == 2
    assert server.send(payload, number="3").json()["status"] == "duplicate"


def test_an_attempt_that_is_late_does_not_replace_a_newer_tag(server: Server) -> None:
    newer = cloud(tag("shop-2", B, date="2026-02-01T00:00:00Z"))
    assert server.send(newer, number="2").status_code == 202
    answer = server.send(cloud(tag("shop-1", date="2026-01-01T00:00:00Z")))
    assert "shop-1 is older than shop-2" in answer.json()["reason"]


def test_data_center_is_read_too(server: Server) -> None:
    answer = server.send(data_center(ref("refs/heads/main")), REFS_CHANGED)
    assert answer.json()["reason"] == "`on` does not name `branch` for this repository: main is not deployed"


def test_only_a_signed_ping_gets_a_pong(server: Server) -> None:
    assert server.send({"test": True}, PING, sign=False).status_code == 401
    assert server.send({"test": True}, PING).json()["status"] == "pong"


def test_the_sample_becomes_a_flag(server: Server) -> None:
    assert server.harness.send("bitbucket", Sample(repository="acme/site", tag="v1", kind="tag")).status_code == 202
    server.harness.settle()
    server.harness.assert_flags("v1")
