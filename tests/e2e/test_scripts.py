"""The shell scripts that a newcomer meets first: what holds for each of them."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from tests.e2e.scripts_support import ROOT, Checkout

SCRIPTS = [
    "install",
    "serve",
    "test-bare",
    "test-container",
    "testlib",
    "demo/applications/hello.example.com/bin/deploy",
]
SHELLCHECK = shutil.which("shellcheck")


@pytest.mark.parametrize("name", SCRIPTS)
def test_is_correct_shell(name: str) -> None:
    path = ROOT / "scripts" / name
    shell = "bash" if "bash" in path.read_text().splitlines()[0] else "sh"
    checks = [[shell, "-n", str(path)]]
    if SHELLCHECK:
        checks.append([SHELLCHECK, "-x", "-P", str(path.parent), str(path)])
    for check in checks:
        finished = subprocess.run(check, capture_output=True, text=True, timeout=60)
        assert finished.returncode == 0, finished.stdout + finished.stderr


@pytest.mark.parametrize("script", ["install", "serve", "test"])
def test_help_is_no_mistake(checkout: Checkout, script: str) -> None:
    for option in ("--help", "-h"):
        finished = checkout.run(f"scripts/{script}", option)
        assert (finished.returncode, finished.stderr) == (0, "")
        assert finished.stdout.startswith(f"usage: scripts/{script} [")
    assert not (checkout.folder / ".venv").exists()


@pytest.mark.parametrize("script", ["install", "serve"])
def test_an_unknown_argument_is_wrong_usage(checkout: Checkout, script: str) -> None:
    finished = checkout.run(f"scripts/{script}", "--nonsense")
    assert finished.returncode == 2
    assert f"usage: scripts/{script}" in finished.stderr
