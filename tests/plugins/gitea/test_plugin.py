"""A whole server, from Gitea's delivery to the flag."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from attrs import define, evolve
from tests.plugins.gitea.conftest import REPOSITORY, SECRET, Gitea, ago

from duct_tape.api import Sample, Secret
from duct_tape.testing import Harness
from duct_tape_gitea import receive
from duct_tape_gitea.conf import DAY

CONFIGURATION = """
[triggers.deploy]
action = "touch-file"
filename = "{{{{ application }}}}"
content = "{{{{ release.tag }}}} {{{{ payload.secret | default('nothing') }}}}"
[plugins.touch-file]
[plugins.gitea]
secrets = [{{ file = "{secret}" }}]
triggers = ["deploy"]
[plugins.gitea.repositories."{repository}"]
application = "site.example.com"
"""


@define
class Server:
    harness: Harness
    gitea: Gitea

    def send(self, action: str = "published", secret: Secret = SECRET, **changes: Any) -> httpx2.Response:
        """One signed delivery, with an id of its own, as each of Gitea's has."""
        payload = self.gitea.payload(**changes) | {"action": action, "secret": "hunter2"}
        signed = receive.verifier([secret]).sign(self.gitea.delivery(payload))
        return self.harness.client.post("/integrations/gitea", content=signed.body, headers=list(signed.headers))

    def flags(self) -> dict[str, str]:
        self.harness.settle()
        return self.harness.flags()


@pytest.fixture
def server(tmp_path: Path, gitea: Gitea) -> Iterator[Server]:
    (tmp_path / "secret").write_bytes(SECRET.reveal())
    text = CONFIGURATION.format(secret=tmp_path / "secret", repository=REPOSITORY)
    with Harness(tmp_path / "server", text) as harness:
        yield Server(harness, gitea)


def test_a_release_becomes_a_flag_once(server: Server) -> None:
    assert server.send().status_code == 202
    assert server.send().json()["status"] == "duplicate"
    assert server.flags() == {"site.example.com": "v1.0.0 nothing"}


def test_edited_notes_of_what_was_deployed_deploy_nothing(server: Server) -> None:
    times: dict[str, Any] = {"published_at": ago(60), "created_at": ago(60)}
    assert server.send(**times).status_code == 202
    assert server.send("updated", **times, body="new notes").json()["status"] == "duplicate"
    assert len(server.harness.runs()) == 1


def test_edited_notes_of_an_older_release_do_not_replace_a_newer_one(server: Server) -> None:
    assert server.send(tag="v2.0.0", published_at=ago(DAY), created_at=ago(DAY), id=2).status_code == 202
    older = server.send("updated", tag="v1.0.0", published_at=ago(2 * DAY), created_at=ago(2 * DAY), id=1)
    assert (older.status_code, older.json()["status"]) == (200, "ignored")
    assert "v1.0.0 is older than v2.0.0" in older.json()["reason"]


def test_edited_notes_of_an_old_release_deploy_nothing_on_a_new_server(server: Server) -> None:
    answer = server.send("updated", published_at=ago(30 * DAY), created_at=ago(30 * DAY))
    assert (answer.status_code, answer.json()["status"]) == (200, "ignored")
    assert server.flags() == {}


def test_a_promoted_prerelease_is_deployed_once(server: Server) -> None:
    times: dict[str, Any] = {"published_at": ago(DAY), "created_at": ago(DAY)}
    assert server.send(prerelease=True, **times).json()["status"] == "ignored"
    assert server.send("updated", **times).status_code == 202
    assert server.send("updated", **times).json()["status"] == "duplicate"


def test_a_stranger_is_refused(server: Server) -> None:
    assert server.send(secret=Secret("test", b"another")).status_code == 401
    assert server.flags() == {}


def test_a_payload_in_the_query_is_refused(server: Server) -> None:
    assert server.harness.client.get("/integrations/gitea?payload=%7B%7D").status_code in (404, 405)
    assert server.harness.client.get("/integrations/gitea").status_code == 405
    assert server.harness.client.post("/integrations/gitea?payload=%7B%7D").status_code == 404


def test_the_secret_of_an_old_payload_is_nowhere(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        assert (server.send().status_code, server.send("deleted").status_code) == (202, 200)
        assert server.flags() == {"site.example.com": "v1.0.0 nothing"}
    assert "hunter2" not in caplog.text
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any("journal" in path.name for path in files)
    assert not [path for path in files if b"hunter2" in path.read_bytes()]


def test_the_sample_becomes_a_flag(server: Server) -> None:
    wanted = Sample(repository=REPOSITORY, tag="v1.0.0")
    assert server.harness.send("gitea", evolve(wanted, action="deleted")).json()["status"] == "ignored"
    assert server.harness.send("gitea", wanted, signed=False).status_code == 401
    assert server.harness.send("gitea", wanted).status_code == 202
    assert server.flags() == {"site.example.com": "v1.0.0 nothing"}
