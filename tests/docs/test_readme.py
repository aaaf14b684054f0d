"""README.md, "Deploy your own application in ten minutes", as somebody would follow it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.docs.support import ROOT, after
from tests.server_support import free_port


def script(marker: str) -> str:
    return after((ROOT / "README.md").read_text(), f"<!-- example: {marker} -->\n```sh\n").partition("```\n")[0]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What a clone holds; the installation is the one that the tests run in."""
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    (tmp_path / "scripts/install").write_text("#!/bin/sh\n")
    (tmp_path / "conf").mkdir()
    shutil.copy(ROOT / "conf/duct_tape.toml", tmp_path / "conf")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return tmp_path


@pytest.fixture
def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DUCT_TAPE_")}
    return kept | {"DUCT_TAPE_BIND": f"127.0.0.1:{free_port()}"}


@pytest.fixture
def serving(clone: Path, environment: dict[str, str]) -> Iterator[None]:
    subprocess.run(["sh", "-e", "-c", script("set up")], cwd=clone, env=environment, check=True, timeout=60)
    command = ["./scripts/serve"]
    with subprocess.Popen(command, cwd=clone, env=environment, start_new_session=True) as process:
        try:
            ready = f"http://{environment['DUCT_TAPE_BIND']}/readyz"
            for _ in range(100):
                time.sleep(0.1)
                with suppress(OSError), urllib.request.urlopen(ready, timeout=1):
                    break
            yield
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(15)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_ten_minutes(serving: None, clone: Path, environment: dict[str, str]) -> None:
    commands = script("deploy")
    done = subprocess.run(
        ["sh", "-e", "-c", commands], cwd=clone, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"status":"accepted"' in done.stdout
    assert done.stdout.endswith("v1.0.0\n")
