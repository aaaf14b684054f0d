"""The configuration classes of the core and of what is installed."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import attrs
import pytest

from duct_tape.conf import sections as module
from duct_tape.conf.model import AdminConf, JournalConf, LogConf, ServerConf, VolumeConf
from duct_tape.conf.sections import core_classes, sections
from duct_tape.hookspecs import hookimpl
from duct_tape.plugins.discovery import from_object


@attrs.frozen
class Table:
    """A table."""


@hookimpl
def a_table() -> type:
    return Table


@hookimpl
def no_class() -> Any:
    return "a table"


@hookimpl
def no_actions() -> Any:
    return ["touch"]


def offer(monkeypatch: pytest.MonkeyPatch, **hooks: Any) -> None:
    plugin = ModuleType("x")
    vars(plugin).update({"DUCT_TAPE_API": (1, 0), **{f"ducttape_{name}": hook for name, hook in hooks.items()}})
    monkeypatch.setattr(module, "installed", lambda: {"x": [from_object("x", plugin)]})


def test_the_cores_sections() -> None:
    assert core_classes() == {
        "server": ServerConf,
        "volume": VolumeConf,
        "journal": JournalConf,
        "admin": AdminConf,
        "log": LogConf,
    }


def test_what_comes_with_duct_tape() -> None:
    found = sections()
    assert found.core == core_classes()
    assert set(found.plugins) >= {"github", "touch-file"}
    assert "touch-file" in found.actions


def test_a_plugin_with_a_class(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, config_class=a_table)
    assert sections().plugins == {"x": Table}


@pytest.mark.parametrize("hooks", [{}, {"config_class": no_class}, {"actions": no_actions}, {"typo": a_table}])
def test_a_plugin_without_one_or_with_junk_is_no_reason_to_fail(
    monkeypatch: pytest.MonkeyPatch, hooks: dict[str, Any]
) -> None:
    offer(monkeypatch, **hooks)
    found = sections()
    assert found.plugins == {"x": None}
    assert found.actions == {}
