"""What is installed is found by metadata alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from duct_tape.plugins.discovery import from_object, installed


def distribution(folder: Path, name: str, version: str, entry_points: str, *, metadata: bool = True) -> None:
    """What an installer leaves behind, without any code."""
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "entry_points.txt").write_text(f"[duct_tape.plugins]\n{entry_points}\n")
    if metadata:
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


def test_the_bundled_plugins_are_found() -> None:
    found = installed()
    assert {"github", "touch-file"} <= found.keys()
    assert found["github"][0].origin.startswith("duct-tape-plugins ")
    assert found["github"][0].target == "duct_tape_github.plugin"


def test_discovery_imports_nothing() -> None:
    script = (
        "import json, sys; from duct_tape.plugins.discovery import installed; names = list(installed())\n"
        "print(json.dumps([names, [name for name in sys.modules if name.startswith('duct_tape_')]]))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, timeout=20)
    names, imported = json.loads(done.stdout)
    assert "github" in names
    assert imported == []


def test_loading_imports_the_module() -> None:
    assert installed()["github"][0].load().__name__ == "duct_tape_github.plugin"


def test_two_distributions_with_one_name_are_both_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    distribution(tmp_path, "one", "1.0", "same = nowhere")
    distribution(tmp_path, "two", "2.0", "same = elsewhere")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert [plugin.origin for plugin in installed()["same"]] == ["one 1.0", "two 2.0"]


def test_one_distribution_that_is_there_twice_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("a", "b"):
        distribution(tmp_path / folder, "one", "1.0", "same = nowhere")
        monkeypatch.syspath_prepend(str(tmp_path / folder))
    assert len(installed()["same"]) == 1


def test_the_remains_of_a_distribution_do_not_stop_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    distribution(tmp_path, "broken", "1.0", "remains = nowhere", metadata=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    found = installed()
    assert "github" in found
    assert found["remains"][0].origin == "unknown unknown"


@pytest.mark.parametrize("content", [b"[duct_tape.plugins]\nhalf a li", b"\xff\xfe"])
def test_a_distribution_that_was_half_written_does_not_hide_the_others(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    distribution(tmp_path, "half", "1.0", "")
    (tmp_path / "half-1.0.dist-info" / "entry_points.txt").write_bytes(content)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "github" in installed()
    kind = "TypeError" if content.isascii() else "UnicodeDecodeError"
    assert caplog.messages == [f"the entry points of half cannot be read ({kind}), reinstall it"]


def test_metadata_that_cannot_be_read_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    distribution(tmp_path, "odd", "1.0", "odd = nowhere")
    (tmp_path / "odd-1.0.dist-info" / "METADATA").write_bytes(b"Name: \xff\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert installed()["odd"][0].origin == "unknown unknown"


def test_an_object_can_stand_in_for_an_entry_point() -> None:
    module = ModuleType("mine")
    plugin = from_object("mine", module)
    assert plugin.load() is module
    assert plugin.origin == "object 0"
