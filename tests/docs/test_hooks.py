"""The reference of the hooks has all that an author asks of each, and the guide for upgrades holds."""

from __future__ import annotations

import inspect
import re
import sys
import types
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.docs.support import DOCS, blocks_of, page
from tests.server_support import plugin

from duct_tape import hookspecs
from duct_tape.conf.model import PluginTable
from duct_tape.hookspecs import HOOKS, HookSpecs
from duct_tape.plugins.discovery import from_object, installed
from duct_tape.plugins.registry import Registry
from duct_tape.testing import Harness

REFERENCE = page("reference/hooks.md")
LONGEST = 30


def section(hook: str) -> str:
    (found,) = re.findall(rf"^## `(?:async )?{hook}\(.*?(?=^## |\Z)", REFERENCE, re.MULTILINE | re.DOTALL)
    return str(found)


def parameters(hook: str) -> list[str]:
    return list(inspect.signature(getattr(HookSpecs, hook)).parameters)[1:]


@pytest.fixture(scope="module")
def bundled() -> dict[str, set[str]]:
    """The hooks of the bundled plugins."""
    registry = Registry()
    plugins = [one for found in installed().values() for one in found if one.distribution == "duct-tape-plugins"]
    for one in plugins:
        registry.enable(PluginTable(instance=one.name, plugin=one.name, data={}), one)
    return {instance.name: set(instance.hooks) for instance in registry}


@pytest.mark.parametrize("hook", HOOKS)
def test_every_argument_is_explained_in_order(hook: str) -> None:
    text = section(hook).partition("*Returns:*")[0]
    assert re.findall(r"^- `(\w+)`: ", text, re.MULTILINE) == parameters(hook)


@pytest.mark.parametrize("hook", HOOKS)
def test_result_failure_and_example_are_there(hook: str) -> None:
    text = section(hook)
    for words in ("*Returns:*", "*If it fails", "*Used by:*"):
        assert text.count(f"\n{words}") == 1, words
    examples = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert examples or "The example is at the top" in text
    assert all(example.count("\n") <= LONGEST for example in examples)


@pytest.mark.parametrize("hook", HOOKS)
def test_it_links_to_plugins_that_use_it(hook: str, bundled: dict[str, set[str]]) -> None:
    (line,) = re.findall(r"^\*Used by:\* (.*)$", section(hook), re.MULTILINE)
    linked = dict(re.findall(r"\[`([\w-]+)`\]\(([^)]+)\)", line))
    using = {name for name, hooks in bundled.items() if hook in hooks}
    assert linked.keys() <= using
    assert bool(linked) == bool(using)
    for path in linked.values():
        assert f"def {hook}(" in (DOCS / "reference" / path).resolve().read_text("utf-8")


@pytest.mark.parametrize("hook", HOOKS)
def test_it_is_typed(hook: str) -> None:
    hints = typing.get_type_hints(getattr(HookSpecs, hook), vars(hookspecs))
    assert hints.keys() == {*parameters(hook), "return"}
    assert Any not in hints.values()
    for parameter in inspect.signature(getattr(HookSpecs, hook)).parameters.values():
        assert parameter.default is parameter.empty, "a default would hide the value that is given"


def test_the_guide_for_upgrades_has_a_test_that_passes(
    ducttape: Callable[..., Harness],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (block,) = (block for block in blocks_of(DOCS / "how-to/upgrade-a-plugin.md") if block.mark == "test")
    monkeypatch.setitem(sys.modules, "duct_tape_rooms", plugin())
    names: dict[str, Any] = {}
    exec(block.text, names)  # noqa: S102 - the project's own pages
    names["test_the_server_takes_it_without_a_word"](ducttape, caplog)


def test_what_the_guide_says_of_versions_is_so() -> None:
    text = page("how-to/upgrade-a-plugin.md")
    registry = Registry()
    module: types.ModuleType = plugin(api=(1, 1))

    instance = registry.enable(PluginTable(instance="rooms", plugin="rooms", data={}), from_object("rooms", module))
    assert f"register: {instance.failure}\n" in text
