"""What is to go: plugins may use it until then, and everybody who can change that is told, once."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.core.cli.conftest import cli, configure, folder
from tests.server_support import plugin, with_mine

from duct_tape import api, deprecations
from duct_tape.api import Outcome
from duct_tape.assembly import assemble
from duct_tape.deprecations import Deprecation
from duct_tape.plugins.discovery import from_object
from duct_tape.testing import Harness

__all__ = ["cli", "configure", "folder"]

GONE = {"gone_in": "2.0"}
HOOK = "the hook `ducttape_doctor`, which goes in 2.0: use `ducttape_health`"
ARGUMENT = "the argument `run` of `ducttape_on_run`, which goes in 2.0: use `ctx.recent`"
NAME = "`Outcoming` of duct_tape.api, which goes in 2.0: use `Outcome`"


@pytest.fixture(autouse=True)
def deprecated(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A hook, an argument and a name that are to go."""
    monkeypatch.setattr(deprecations, "_imported", {})
    monkeypatch.setitem(deprecations.HOOKS, "ducttape_doctor", Deprecation(instead="`ducttape_health`", **GONE))
    argument = Deprecation(instead="`ctx.recent`", **GONE)
    monkeypatch.setitem(deprecations.ARGUMENTS, ("ducttape_on_run", "run"), argument)
    name = Deprecation(instead="`Outcome`", value=Outcome, **GONE)
    monkeypatch.setitem(deprecations.NAMES, "Outcoming", name)
    yield
    sys.modules.pop("an_old_plugin", None)


def old() -> ModuleType:
    """A plugin that uses all three."""

    async def on_run(ctx: Any, run: Any) -> None: ...

    module = plugin(doctor=lambda ctx: [], on_run=on_run)
    module.__name__ = "an_old_plugin.plugin"
    with pytest.warns(DeprecationWarning, match="`Outcoming` of duct_tape.api is deprecated, which goes in 2.0: use"):
        exec("from duct_tape.api import Outcoming", vars(module))  # noqa: S102 - a plugin's own line
    assert vars(module)["Outcoming"] is Outcome
    return module


def test_nothing_is_deprecated_that_the_tests_do_not_deprecate() -> None:
    assert (len(deprecations.HOOKS), len(deprecations.ARGUMENTS), len(deprecations.NAMES)) == (1, 1, 1)


def test_the_log_says_it_once_for_each_plugin(
    ducttape: Callable[..., Harness], caplog: pytest.LogCaptureFixture
) -> None:
    harness = with_mine(ducttape, old(), '[plugins.again]\nuse = "mine"')
    found = [f"plugin mine (object 0) uses {what}" for what in (ARGUMENT, HOOK, NAME)]
    assert [message for message in caplog.messages if "goes in" in message] == found
    assert list(harness.instance("mine").deprecations) == harness.instance("mine").status()["deprecations"] == found
    assert harness.instance("again").on
    assert harness.assembly.registry.deprecations() == found
    assert harness.instance("sender").deprecations == ()


def test_the_commands_say_it(cli: Any, configure: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"x": [from_object("x", old())]}
    monkeypatch.setattr("duct_tape.assembly.installed", lambda: found)
    configure('[plugins.x]\n[plugins.y]\nuse = "x"')
    told = "".join(f"warning: plugin x (object 0) uses {what}\n" for what in (ARGUMENT, HOOK, NAME))
    plugins = cli("plugins")
    assert (plugins.code, plugins.err) == (0, told)
    checked = cli("check")
    assert checked.code == 0
    assert checked.out.startswith(told)
    assert '"plugin x (object 0) uses the hook `ducttape_doctor`' in cli("check", "--json").out


def test_other_packages_are_not_told(tmp_path: Path) -> None:
    old()
    path = tmp_path / "duct_tape.toml"
    path.write_text("[plugins.other]\n")
    assert assemble(path, {"other": plugin()}).registry.deprecations() == []


def test_the_entry_point_may_name_an_object() -> None:
    old()
    assert list(deprecations.uses("an_old_plugin:thing", {})) == [NAME]
    assert list(deprecations.uses("an_old", {})) == []


def test_a_name_that_never_was_is_none() -> None:
    assert not hasattr(api, "Nothing")
    with pytest.raises(ImportError, match="cannot import name 'Nothing'"):
        exec("from duct_tape.api import Nothing", {})  # noqa: S102 - a plugin's own line
