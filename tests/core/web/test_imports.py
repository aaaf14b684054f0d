"""The server imports nothing that it does not use, and the host's listener nothing of the server's."""

from __future__ import annotations

import json
import subprocess
import sys

FORBIDDEN = """
    rich httpx httpx2 requests sqlalchemy psycopg hypothesis pytest _pytest coverage asyncinotify watchfiles jsonschema
    yaml sphinx trio aioquic uvloop prometheus_client apprise unittest pdb multiprocessing.pool pkg_resources setuptools
    duct_tape.listener duct_tape.testing duct_tape.cli duct_tape_bitbucket duct_tape_gitea duct_tape_github
    duct_tape_gitlab duct_tape_http_request duct_tape_notify duct_tape_registry duct_tape_run_command
    duct_tape_standard_webhooks duct_tape_touch_file duct_tape_webhook
"""
FORBIDDEN_ON_THE_HOST = "starlette hypercorn jinja2 cattrs pluggy anyio h2 h11 sqlite3 duct_tape.web duct_tape.plugins"
MODULES = 550
MEGABYTES = 60


def imported(statement: str) -> tuple[set[str], float]:
    """The modules that a statement imports, and the process's memory in megabytes."""
    script = (
        f"{statement}; import json, re, sys; from pathlib import Path; status = Path('/proc/self/status'); "
        "found = re.search(r'VmHWM:\\s*(\\d+) kB', status.read_text() if status.exists() else 'VmHWM: 0 kB'); "
        "print(json.dumps([list(sys.modules), int(found[1]) / 1024]))"
    )
    # Isolated from the tests' own environment, which measures coverage in every process.
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, check=True, timeout=60, env={})
    modules, memory = json.loads(done.stdout)
    return set(modules), memory


def test_the_server_imports_what_it_uses() -> None:
    modules, memory = imported("import duct_tape.web.serve")
    assert not modules & set(FORBIDDEN.split())
    assert len(modules) < MODULES
    assert memory < MEGABYTES


def test_the_listener_imports_nothing_of_the_server() -> None:
    modules, _ = imported("from duct_tape.cli import group; group.get_command(None, 'listen')")
    assert "duct_tape.listener.service" in modules
    assert not modules & set(FORBIDDEN_ON_THE_HOST.split())


def test_the_command_line_imports_a_command_when_it_is_called() -> None:
    modules, _ = imported("import duct_tape.cli")
    assert not modules & {"duct_tape.cli.serve", "duct_tape.cli.listen", "duct_tape.assembly", "starlette"}


def test_the_pytest_plugin_imports_nothing_heavy() -> None:
    modules, _ = imported("import duct_tape.testing.fixtures")
    assert not modules & {"starlette", "httpx2", "duct_tape.assembly", "duct_tape.testing.harness", "anyio"}
