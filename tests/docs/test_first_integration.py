"""docs/tutorial/first-integration.md, word for word: files are written, commands run, and their answers compared."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.docs.support import DOCS, Block, blocks_of
from tests.listener_support import until
from tests.server_support import free_port

PAGE = DOCS / "tutorial/first-integration.md"
# Offline, and beside the packages of the environment that runs the tests.
PIP = """#!/bin/sh
if [ "$1 $2" = "-m pip" ]; then
    exec "{python}" -m pip install --quiet --no-build-isolation --no-deps --no-index --target "{site}" --upgrade .
fi
exec "{python}" "$@"
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Variables in which `python`, `pip` and `duct-tape` are those of an author's environment."""
    site, programs = tmp_path / "site", tmp_path / "bin"
    programs.mkdir()
    (programs / "python").write_text(PIP.format(python=sys.executable, site=site))
    (programs / "python").chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COV", "PYTEST", "DUCT_TAPE"))}
    path = f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    # The project's own folder first: `--editable` is what the page says.
    found = f"{tmp_path}/duct-tape-shipyard:{site}"
    return {**kept, "PATH": path, "PYTHONPATH": found, "DUCT_TAPE_BIND": f"127.0.0.1:{free_port()}"}


def test_the_page_is_true(tmp_path: Path, environment: dict[str, str]) -> None:
    folder = tmp_path
    with_servers: list[subprocess.Popen[bytes]] = []
    try:
        for block in blocks_of(PAGE):
            kind, _, path = block.mark.partition("=")
            if kind == "file":
                (folder / path).write_text(block.text)
            elif block.mark == "background":
                with_servers.append(background(block, folder, environment))
            elif block.language == "console":
                folder = played(block, folder, environment)
    finally:
        for server in with_servers:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(30)
    assert [server.returncode for server in with_servers] == [0]


def played(block: Block, folder: Path, environment: dict[str, str]) -> Path:
    """Run the commands of a block; what the page says of each has to be in what it says. The folder afterwards."""
    for line, said in commands(block):
        words = shlex.split(line)
        if words[0] == "cd":
            folder = folder / words[1]
        elif words[0] == "export":
            name, _, value = words[1].partition("=")
            environment[name] = value
        else:
            done = shell(line, folder, environment)
            assert done.returncode == 0, f"{block}: {line}\n{done.stdout}{done.stderr}"
            assert [part for part in said if part not in done.stdout] == [], f"{block}: {line}\n{done.stdout}"
    return folder


def commands(block: Block) -> Iterator[tuple[str, list[str]]]:
    """Each command with the lines that follow it."""
    parts = ("\n" + block.text).split("\n$ ")[1:]
    for part in parts:
        line, *said = part.strip().split("\n")
        yield line, said


def shell(line: str, folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", line], cwd=folder, env=dict(environment), capture_output=True, text=True, timeout=120
    )


def background(block: Block, folder: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Run the commands of a terminal that stays open, and wait until the server in it answers."""
    *first, last = (line for line, _ in commands(block))
    script = "\n".join(["set -e", *first, last])
    log = folder / "terminal.log"
    with log.open("wb") as stream:
        server = subprocess.Popen(
            ["bash", "-c", script], cwd=folder, env=dict(environment), stdout=stream, stderr=stream,
            start_new_session=True,
        )  # fmt: skip

    def answers() -> bool:
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"http://{environment['DUCT_TAPE_BIND']}/healthz", timeout=5):
                return True
        except OSError:
            return False

    until(answers)
    return server
