"""Without a token nobody pays for the client of GitHub's API."""

from __future__ import annotations

import json
import subprocess
import sys

HEAVY = {"httpx2", "httpcore2", "certifi", "truststore"}


def imported(statement: str) -> set[str]:
    script = f"{statement}; import json, sys; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, check=True, timeout=60, env={})
    return set(json.loads(done.stdout))


def test_the_plugin_does_not_import_the_client() -> None:
    modules = imported("import duct_tape_github.plugin")
    assert "duct_tape_github.rest" in modules
    assert not modules & HEAVY


def test_asking_does() -> None:
    made = "from duct_tape_github.rest import Api; from duct_tape.api import Secret"
    assert "httpx2" in imported(f"{made}; Api('https://api.github.com', Secret('test', b'token'))._made()")
