"""docs/reference/http.md names every answer that the server gives, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from tests.docs.support import ROOT, page

from duct_tape.testing import Harness
from duct_tape.web.said import CODES

CONFIGURATION = """
[triggers.deploy]
action = "touch-file"
[plugins.touch-file]
[plugins.github]
secrets = [{{ file = "{folder}/secret" }}]
triggers = ["deploy"]
"""


def test_every_status_in_the_code_is_documented() -> None:
    documented = set(re.findall(r"\| `([a-z ]+)` \|$", page("reference/http.md"), re.MULTILINE)) - {"status"}
    source = "".join(path.read_text() for path in (ROOT / "core/duct_tape/web").glob("*.py"))
    source += (ROOT / "core/duct_tape/plugins/mounts.py").read_text()
    answers = set(re.findall(r'answer\((?:\w+\.)?\d+, "([a-z ]+)"', source))
    answers |= set(re.findall(r'\d{3}: "([a-z ]+)"', source))
    assert documented == answers | CODES.keys()


def test_the_answers_without_a_delivery(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("4f1d0c5a9b3e4c7d8a6f")
    with Harness(tmp_path, CONFIGURATION.format(folder=tmp_path)) as server:
        answers = {
            "GET /": server.client.get("/"),
            "GET /healthz": server.client.get("/healthz"),
            "GET /readyz": server.client.get("/readyz"),
            "GET /integrations/github": server.client.get("/integrations/github"),
            "slash": server.client.post("/integrations/github/"),
            "unsigned": server.post("github", {}),
        }
    found = {name: (answer.status_code, answer.json().get("status")) for name, answer in answers.items()}
    assert found == {
        "GET /": (200, None),
        "GET /healthz": (200, "ok"),
        "GET /readyz": (503, "not ready"),
        "GET /integrations/github": (405, "method not allowed"),
        "slash": (404, "not found"),
        "unsigned": (401, "unauthorized"),
    }
    assert answers["GET /"].json().keys() == {"name", "version"}
    assert answers["GET /integrations/github"].headers["Allow"] == "POST"
    assert answers["GET /readyz"].headers["Retry-After"]
