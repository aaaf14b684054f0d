"""The plugins of docs/how-to/write-a-plugin.md, run as the page says."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.docs.support import DOCS, Block, blocks_of

from duct_tape.assembly import assemble
from duct_tape.cli.check import check
from duct_tape.cli.simulate import simulate
from duct_tape.testing import Harness

GUIDE = list(blocks_of(DOCS / "how-to/write-a-plugin.md"))


def named(start: str) -> Block:
    (block,) = (block for block in GUIDE if block.text.startswith(start))
    return block


@pytest.fixture
def plugins() -> Iterator[dict[str, types.ModuleType]]:
    """The two modules, importable as the page's test imports them."""
    made = {}
    for name in ("duct_tape_buildserver", "duct_tape_append"):
        made[name] = types.ModuleType(name)
        exec(compile(named(f'"""{name}:').text, name, "exec", dont_inherit=True), made[name].__dict__)  # noqa: S102 - the project's own pages
        sys.modules[name] = made[name]
    yield {name.removeprefix("duct_tape_"): module for name, module in made.items()}
    for name in made:
        del sys.modules[name]


def test_its_test_passes(
    plugins: object, ducttape: Callable[..., Harness], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (block,) = (block for block in GUIDE if block.mark == "test")
    names: dict[str, Any] = {}
    exec(block.text, names)  # noqa: S102 - the project's own pages
    names["test_a_good_build_is_noted_once"](ducttape, tmp_path, monkeypatch)


def test_its_configuration_is_right_and_can_be_simulated(
    plugins: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (block,) = (block for block in GUIDE if block.mark.startswith("plugins="))
    assert block.mark == "plugins=" + ",".join(plugins)
    monkeypatch.setenv("BUILD_SECRET", "4f1d0c5a9b3e4c7d8a6f")
    path = tmp_path / "duct_tape.toml"
    path.write_text(block.text)
    assembly = assemble(path, plugins)
    assert [str(problem) for problem in check(assembly)] == []
    good = b'{"id": "42", "project": "shop", "version": "1.2.3", "ok": true}'
    answer = simulate(assembly, "buildserver", "build", good)
    assert answer["runs"][0]["preview"] == {"line": "shop.example.com 1.2.3"}
    assert simulate(assembly, "buildserver", "build", good.replace(b"true", b"false"))["status"] == "ignored"
    assert simulate(assembly, "buildserver", "build", good.replace(b"true", b'"yes"'))["status"] == "malformed"
