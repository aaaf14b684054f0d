"""The fixture ``ducttape``, as the author of a plugin meets it."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from duct_tape import testing

A_TEST = """
from types import ModuleType
from duct_tape.api import hookimpl

mine = ModuleType("mine")
mine.DUCT_TAPE_API = (1, 0)
left = []

@hookimpl
def ducttape_setup(ctx):
    left.append(ctx.name)

mine.ducttape_setup = ducttape_setup

def test_one(ducttape, tmp_path):
    harness = ducttape("[plugins.mine]", plugins={"mine": mine})
    assert harness.client.get("/readyz").json() == {"status": "ready"}
    assert left == ["mine"]
    assert harness.volume.parent == tmp_path
"""


def test_pytest_finds_the_fixture_by_itself(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(A_TEST)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", "test_mine.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_the_entry_point_is_registered() -> None:
    (entry,) = [entry for entry in metadata.entry_points(group="pytest11") if entry.name == "ducttape"]
    assert entry.value == "duct_tape.testing.fixtures"


def test_the_kit_has_these_names() -> None:
    assert testing.__all__ == ["FakeClock", "Harness", "Sample"]
    for name in testing.__all__:
        assert getattr(testing, name).__name__ == name
    assert testing.Harness.__name__ == "Harness"
    with pytest.raises(AttributeError, match="has no attribute 'Harnes'"):
        testing.Harnes  # noqa: B018
