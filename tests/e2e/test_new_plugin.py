"""A plugin from `duct-tape new`, as its author has it a minute later: installed, checked and at work.

Nothing here needs a package index: the wheel is built with the setuptools that is installed.
"""

from __future__ import annotations

import hmac
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from duct_tape.scaffold.names import LONGEST
from duct_tape.scaffold.project import KINDS

SECRET = "3f9a1c07d5e2b846"
# The same file has to be well-formed with the shortest name and with the longest one.
NAMES = {"integration": "i", "action": "a-name-that-is-quite-long-here", "observer": "watcher"}


def run(*words: str | Path, folder: Path, environment: Mapping[str, str]) -> str:
    """What a program of this environment says; it has to succeed."""
    command = [sys.executable, "-m", *map(str, words)]
    done = subprocess.run(command, cwd=folder, env=dict(environment), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What mypy remembers from one project to the next."""
    return tmp_path_factory.mktemp("mypy")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Variables with which programs find what was installed into ``site``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COV", "PYTEST", "DUCT_TAPE"))}
    return {**kept, "PYTHONPATH": str(tmp_path / "site"), "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


@contextmanager
def serving(folder: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """The address of a server with the configuration of the project."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "shared_volume").mkdir()
    log = folder / "server.log"
    with log.open("wb") as stream:
        server = subprocess.Popen(
            [sys.executable, "-m", "duct_tape", "serve"],
            cwd=folder, env={**environment, "DUCT_TAPE_BIND": f"127.0.0.1:{port}"}, stderr=stream,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 30
        while not listens(port):
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
        server.terminate()
        assert server.wait(30) == 0, log.read_text()
    finally:
        server.kill()
        server.wait(30)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def status(url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> int:
    given = {"Content-Type": "application/json", **(headers or {})}
    with urllib.request.urlopen(urllib.request.Request(url, body, given), timeout=10) as answer:
        code: int = answer.status
        return code


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_plugin_works_as_it_is(kind: str, tmp_path: Path, environment: dict[str, str], cache: Path) -> None:
    name = NAMES[kind]
    assert len(name) <= LONGEST

    def duct_tape(*words: str | Path, folder: Path) -> str:
        return run("duct_tape", *words, folder=folder, environment=environment)

    # 1. It is written, and every tool that it names agrees with it.
    duct_tape("new", name, "--kind", kind, folder=tmp_path)
    project = tmp_path / f"duct-tape-{name}"
    assert f"duct-tape-{name} 0.1.0 (plugins: {name}): it is fine\n" == duct_tape("lint", folder=project)
    run("ruff", "format", "--check", ".", folder=project, environment=environment)
    run("ruff", "check", "--no-cache", ".", folder=project, environment=environment)
    run("mypy", "--cache-dir", cache, folder=project, environment=environment)

    # 2. It is installed, and its tests pass with what was installed.
    site = tmp_path / "site"
    install = ("pip", "install", "--quiet", "--no-build-isolation", "--no-deps", "--target", site, project)
    run(*install, folder=tmp_path, environment=environment)
    assert " passed" in run("pytest", "-q", "-p", "no:cacheprovider", folder=project, environment=environment)
    assert duct_tape("lint", name, folder=tmp_path).endswith(": it is fine\n")

    # 3. A server takes its example configuration, and answers.
    environment[f"{name.replace('-', '_').upper()}_SECRET"] = SECRET
    assert f"plugins: {'touch-file, ' if kind == 'integration' else ''}{name}" in duct_tape("check", folder=project)
    rows = json.loads(duct_tape("plugins", "--json", folder=project))["plugins"]
    [row] = [row for row in rows if row["plugin"] == name]
    assert (row["distribution"], row["enabled"], row["error"]) == (f"duct-tape-{name}", True, None)
    with serving(project, environment) as url:
        assert status(f"{url}/healthz") == 200
        if kind == "integration":
            body = b'{"repository": "acme/site", "version": "v1", "published_at": "2021-02-03T04:05:06Z"}'
            signed = {f"X-{name.title()}-Signature": hmac.new(SECRET.encode(), body, "sha256").hexdigest()}
            assert status(f"{url}/integrations/{name}", body, signed) == 202
            environment["DUCT_TAPE_BIND"] = url.removeprefix("http://")
            assert duct_tape(name, "send", "--tag", "v2", folder=project).startswith("HTTP 202\n")
        else:
            assert status(f"{url}/readyz") == 200
