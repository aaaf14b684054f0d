"""The gallery names every bundled plugin, with its size as it is."""

from __future__ import annotations

import ast
import configparser
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from tests.docs.support import DOCS, ROOT, Block, blocks_of, hold, page, rows
from tests.server_support import CONFIGURATION, Recorder, deliver, sender
from tests.unmeasured_support import unmeasured

from duct_tape.testing import FakeClock, Harness

PLUGINS = ROOT / "plugins"
START, END = "<!-- gallery -->\n", "<!-- end of gallery -->"


def bundled() -> dict[str, Path]:
    """The folder of each plugin, by its name."""
    conf = configparser.ConfigParser()
    conf.read(PLUGINS / "setup.cfg")
    lines = conf["options.entry_points"]["duct_tape.plugins"].strip().splitlines()
    pairs = (line.partition("=") for line in lines)
    return {name.strip(): PLUGINS / module.strip().partition(".")[0] for name, _, module in pairs}


def row(name: str, folder: Path) -> tuple[int, str]:
    files = sorted(path for path in folder.glob("*.py") if path.name != "__init__.py")
    size = sum(len(path.read_text().splitlines()) for path in files)
    tree = ast.parse((folder / "plugin.py").read_text())
    said = (ast.get_docstring(tree) or "").split("\n")[0].rstrip(".").replace("``", "`")
    names = (getattr(node, "name", "") for node in tree.body)
    hooks = [name.removeprefix("ducttape_") for name in names if name.startswith("ducttape_")]
    code = ", ".join(f"`{path.name}`" for path in files)
    return size, f"| `{name}` | {size} | {said} | {', '.join(hooks)} | {code} |"


def test_the_table_is_as_the_code_is() -> None:
    found = sorted(row(name, folder) for name, folder in bundled().items())
    head = "| plugin | lines | what it is | hooks | files |\n|---|---|---|---|---|\n"
    hold(DOCS / "reference/gallery.md", START, END, head + "".join(f"{text}\n" for _, text in found))


def test_every_bundled_plugin_is_there() -> None:
    assert {cells[0].strip("`") for cells in rows(page("reference/gallery.md"))} == bundled().keys()


def example(name: str) -> ModuleType:
    """A block of the page as a module."""
    [block] = (block for block in blocks_of(DOCS / "reference/gallery.md") if block.mark == f"gallery={name}")
    module = ModuleType(name)
    exec(compile(block.text, name, "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - the project's own pages
    return module


def test_the_guard_knows_its_days(ducttape: Callable[..., Harness]) -> None:
    recorder, monday = Recorder(), 1_767_600_000.0
    plugins = {"recorder": recorder.module, "sender": sender(), "fridays": example("guard")}
    clock = FakeClock(monday)
    server = ducttape(f"{CONFIGURATION}[plugins.fridays]\n", plugins=plugins, clock=clock)
    for delivery in ("monday", "friday"):
        deliver(server, delivery)
        server.settle()
        clock.advance(4 * 86400)
    server.assert_runs(("app", "done"), ("app", "refused"))


def test_the_integration_takes_what_the_script_says(
    ducttape: Callable[..., Harness], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "7c0e4a19d3b85f26")
    text = CONFIGURATION.replace(
        "[plugins.sender]",
        """[plugins.script]
        tokens = [{ env = "TOKEN" }]
        triggers = ["deploy"]
        repositories.shop.application = "shop.example.com"
    """,
    )
    server = ducttape(text, plugins={"recorder": Recorder().module, "script": example("integration")})
    said = {"project": "shop", "version": "1.2.3"}
    assert server.post("script", said, {"Authorization": "Bearer guess"}).status_code == 401
    for status in ("accepted", "duplicate"):
        assert server.post("script", said, {"Authorization": "Bearer 7c0e4a19d3b85f26"}).json()["status"] == status
    server.settle()
    server.assert_runs(("shop.example.com", "done"))


KIT = [block for block in blocks_of(DOCS / "reference/testing.md") if block.mark == "testing"]


@pytest.mark.parametrize("block", KIT, ids=str)
def test_the_test_kits_examples_pass(block: Block, tmp_path: Path) -> None:
    (tmp_path / "test_kit.py").write_text(block.text)
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, env=unmeasured())
    assert done.returncode == 0, done.stdout
