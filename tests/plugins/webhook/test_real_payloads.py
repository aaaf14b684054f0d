"""Payloads of senders that have an integration, read as those of a stranger are. They are data of others."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.plugins.webhook.conftest import SECRET
from tests.senders_support import PAYLOADS, decided, needs_payloads, payloads

from duct_tape.api import Runs
from duct_tape.senders import receiver_of
from duct_tape.testing import Harness
from duct_tape_webhook.plugin import simulated

pytestmark = needs_payloads

CONFIGURATION = """
[triggers.deploy]
action = "touch-file"
content = "{{{{ repository }}}} {{{{ release.tag }}}}"
[plugins.touch-file]
[plugins.any]
use = "webhook"
secrets = [{{ file = "{secret}" }}]
triggers = ["deploy"]
hmac = {{ header = "X-Signature" }}
[plugins.any.rules.release]
when = 'payload.action == "published" and payload.release.draft == false'
application = "release"
repository = "{{{{ payload.repository.full_name }}}}"
id = "{{{{ payload.release.id }}}}"
version = "{{{{ payload.release.tag_name }}}}"
published_at = "{{{{ payload.release.published_at }}}}"
[plugins.any.rules.image]
when = 'payload.push_data.tag matches "*"'
application = "image"
repository = "{{{{ payload.repository.repo_name }}}}"
id = "{{{{ payload.push_data.pushed_at }}}}"
version = "{{{{ payload.push_data.tag }}}}"
"""


@pytest.fixture
def server(tmp_path: Path) -> Harness:
    (tmp_path / "secret").write_bytes(SECRET.reveal())
    return Harness(tmp_path / "server", CONFIGURATION.format(secret=tmp_path / "secret"))


def test_what_holds_is_deployed_and_nothing_else(server: Harness) -> None:
    receiver = receiver_of(server.assembly, "any")
    deployed = {}
    for name in payloads("github", "gitea", "gogs", "gitlab", "dockerhub", "bitbucket-cloud"):
        body = (PAYLOADS / name).read_bytes()
        for decision in decided(receiver, simulated(body)) if body.lstrip()[:1] == b"{" else ():
            if isinstance(decision, Runs):
                deployed[name] = decision.runs[0].application
    assert set(deployed.values()) == {"release", "image"}
    releases = {name for name, application in deployed.items() if application == "release"}
    # Files and folders are named after their events.
    assert [name for name in releases if "release" not in name] == []
    assert all(name.startswith("dockerhub/") for name in deployed.keys() - releases)


def test_a_real_image_becomes_a_flag(server: Harness) -> None:
    receiver = receiver_of(server.assembly, "any")
    name = next(name for name in payloads("dockerhub") if b"push_data" in (PAYLOADS / name).read_bytes())
    signed = receiver.verifier.sign(simulated((PAYLOADS / name).read_bytes()))
    with server:
        answer = server.client.post("/integrations/any", content=signed.body, headers=list(signed.headers))
        assert answer.status_code == 202
        server.settle()
        server.assert_flags("image")
