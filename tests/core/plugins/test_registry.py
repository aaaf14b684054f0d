"""Registration: what is wrong with a plugin is said in one line, and it alone is off."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any, NoReturn

import pytest
from attrs import define
from tests.server_support import plugin

from duct_tape.api import PluginError, hookimpl
from duct_tape.conf.model import PluginTable
from duct_tape.plugins.discovery import InstalledPlugin, from_object
from duct_tape.plugins.instance import Instance
from duct_tape.plugins.isolation import PluginFailure
from duct_tape.plugins.registry import Registry, check_config_class, unknown_plugin


def enable(registry: Registry, module: Any, name: str = "mine", use: str | None = None) -> Instance:
    table = PluginTable(instance=name, plugin=use or name, data={})
    return registry.enable(table, from_object(use or name, module))


def loads(function: Callable[[], Any]) -> InstalledPlugin:
    return InstalledPlugin(name="mine", distribution="theirs", version="1", target="x", load=function)


def exits() -> NoReturn:
    raise SystemExit(1)


def imports() -> NoReturn:
    raise ImportError("No module named 'numpy'")


@pytest.mark.parametrize(
    ("load", "text"),
    [
        (imports, "ImportError: No module named 'numpy'"),
        (exits, "SystemExit: 1"),
        (lambda: threading.Event().wait(), "it did not end within 0.05 seconds"),
    ],
)
def test_an_import_that_fails(load: Callable[[], Any], text: str, caplog: pytest.LogCaptureFixture) -> None:
    registry = Registry(0.05)
    instance = registry.enable(PluginTable(instance="mine", plugin="mine", data={}), loads(load))
    assert (instance.failed_stage, instance.failure) == ("import", text)
    assert caplog.messages == [f"plugin mine (theirs 1) is off: import: {text}"]
    assert instance.import_seconds > 0


class AClass:
    DUCT_TAPE_API = (1, 0)


@define
class Comparable:
    DUCT_TAPE_API = (1, 0)


def undecorated() -> ModuleType:
    module = plugin()
    vars(module)["ducttape_setup"] = lambda ctx: None
    return module


NO_PAIR = "its DUCT_TAPE_API is no pair of numbers; write DUCT_TAPE_API = (1, 0)"


async def coroutine(ctx: object) -> None: ...


@pytest.mark.parametrize(
    ("module", "text"),
    [
        (AClass, "the entry point is a class; it must be a module or an object"),
        (Comparable(), "the plugin object is not hashable: give its class eq=False"),
        (plugin(api=None), "it does not say for which API it was written; add DUCT_TAPE_API = (1, 0)"),
        (plugin(api="1.0"), NO_PAIR),
        (plugin(api=(1, True)), NO_PAIR),
        (plugin(api=(1,)), NO_PAIR),
        (plugin(api=[1, 0]), NO_PAIR),
        (plugin(api=(1, 99)), "it was written for API 1.99, and this Duct Tape offers 1.0; upgrade duct-tape-core"),
        (plugin(api=(1, 9)), "it was written for API 1.9, and this Duct Tape offers 1.0; upgrade duct-tape-core"),
        (plugin(api=(2, 0)), "it was written for API 2.0, and this Duct Tape offers 1.0; upgrade duct-tape-core"),
        (plugin(api=(0, 9)), "it was written for API 0.9, and this Duct Tape offers 1.0; upgrade the plugin"),
        (plugin(setupp=lambda ctx: None), "there is no hook `ducttape_setupp`; did you mean `ducttape_setup`?"),
        (undecorated(), "`ducttape_setup` is not marked with @hookimpl"),
        (plugin(setup=coroutine), "`ducttape_setup` must not be async"),
        (plugin(on_run=lambda ctx, run: None), "`ducttape_on_run` must be async"),
    ],
)
def test_a_plugin_that_cannot_be_registered(module: Any, text: str, caplog: pytest.LogCaptureFixture) -> None:
    registry = Registry()
    instance = enable(registry, module)
    assert (instance.failed_stage, instance.failure) == ("register", text)
    assert instance.hooks == {}
    assert caplog.messages == [f"plugin mine (object 0) is off: register: {text}"]
    other = enable(registry, plugin(setup=lambda ctx: "fine"), "other")
    assert registry.call(other, "ducttape_setup", "") == "fine"


def test_an_unknown_hook_that_resembles_none_is_told_the_hooks() -> None:
    assert "hooks: ducttape_config_class, ducttape_setup" in enable(Registry(), plugin(xyz=lambda: None)).failure


def test_a_wrong_argument_name_switches_off_that_plugin_with_all_its_hooks() -> None:
    registry = Registry()
    instance = enable(registry, plugin(setup=lambda ctx: None, health=lambda ctx, colour: []))
    assert instance.failed_stage == "register"
    assert "colour" in instance.failure
    assert registry.hook(instance, "ducttape_setup") is None


def test_hooks_are_called_for_one_instance_at_a_time() -> None:
    registry = Registry()
    first = enable(registry, plugin(setup=lambda: "first"), "first")
    second = enable(registry, plugin(setup=lambda ctx: "second"), "second")
    assert [registry.call(instance, "ducttape_setup", "") for instance in registry] == ["first", "second"]
    assert [instance.hooks for instance in (first, second)] == [{"ducttape_setup": ()}, {"ducttape_setup": ("ctx",)}]


def test_two_instances_of_one_plugin_share_its_registration() -> None:
    registry, module = Registry(), plugin(setup=lambda ctx: "called")
    instances = [enable(registry, module, name, use="same") for name in ("one", "two")]
    assert [registry.call(instance, "ducttape_setup", "") for instance in instances] == ["called", "called"]


def test_a_second_instance_of_a_broken_plugin_is_off_too() -> None:
    registry, module = Registry(), plugin(api=None)
    assert not any(enable(registry, module, name, use="same").on for name in ("one", "two"))


def test_one_object_under_two_names_is_two_plugins() -> None:
    registry, module = Registry(), plugin(setup=lambda ctx: "called")
    instances = [enable(registry, module, name) for name in ("one", "two")]
    assert [registry.call(instance, "ducttape_setup", "") for instance in instances] == ["called", "called"]


def test_an_object_that_raises_for_unknown_attributes_breaks_no_other_plugin() -> None:
    class Raises:
        DUCT_TAPE_API = (1, 0)

        def __getattr__(self, name: str) -> NoReturn:
            raise KeyError(name)

    registry = Registry()
    enable(registry, Raises(), "raises")
    other = enable(registry, plugin(setup=lambda ctx: "called"), "other")
    assert registry.call(other, "ducttape_setup", "") == "called"


def test_an_import_that_hangs_costs_its_time_once() -> None:
    loads_of: list[int] = []

    def hangs() -> NoReturn:
        loads_of.append(1)
        threading.Event().wait()
        raise AssertionError

    registry = Registry(0.05)
    for name in ("one", "two", "three"):
        instance = registry.enable(PluginTable(instance=name, plugin="mine", data={}), loads(hangs))
        assert (instance.failed_stage, instance.failure) == ("import", "it did not end within 0.05 seconds")
    assert loads_of == [1]


def test_a_plugin_that_imports_what_only_a_newer_api_has_is_told_so() -> None:
    def newer() -> NoReturn:
        raise ImportError("cannot import name 'poll' from 'duct_tape.api' (/x/api.py)", name="duct_tape.api")

    registry = Registry()
    instance = registry.enable(PluginTable(instance="mine", plugin="mine", data={}), loads(newer))
    assert instance.failure == (
        "cannot import name 'poll' from 'duct_tape.api', and this Duct Tape offers 1.0; "
        "upgrade duct-tape-core or the plugin"
    )


def test_what_a_hook_raises_switches_its_plugin_off(caplog: pytest.LogCaptureFixture) -> None:
    def fails(ctx: object) -> NoReturn:
        raise PluginError("the folder is missing")

    registry = Registry()
    instance = enable(registry, plugin(setup=fails))
    assert registry.call(instance, "ducttape_setup", "default") == "default"
    assert (instance.on, instance.failed_stage, instance.failure) == (False, "setup", "the folder is missing")
    assert registry.call(instance, "ducttape_setup", "off") == "off"
    assert len(caplog.messages) == 1


def test_a_hook_that_returns_nothing_gives_the_default() -> None:
    registry = Registry()
    instance = enable(registry, plugin(actions=lambda ctx: None, config_class=lambda: None))
    assert registry.call(instance, "ducttape_actions", "default") == "default"
    assert registry.call(instance, "ducttape_config_class", "default") == "default"
    assert registry.call(instance, "ducttape_routes", "default") == "default"


@pytest.mark.parametrize(("level", "shown"), [(logging.INFO, False), (logging.DEBUG, True)])
def test_the_traceback_is_for_those_who_debug(level: int, shown: bool, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(level, "duct_tape.plugins"):
        Registry().enable(PluginTable(instance="mine", plugin="mine", data={}), loads(imports))
    assert bool(caplog.records[0].exc_info) is shown


def test_an_unknown_plugin_comes_with_a_suggestion() -> None:
    installed = {"github": [loads(imports)]}
    assert unknown_plugin("githup", installed) == ("no plugin `githup` is installed,", "did you mean `github`?")
    assert unknown_plugin("xyz", installed)[1] == "installed: github"
    assert unknown_plugin("xyz", {})[1] == "installed: none"


@pytest.mark.parametrize("cls", [dict, {}, None, AClass])
def test_a_configuration_class_is_an_attrs_class(cls: Any) -> None:
    check_config_class(Comparable)
    with pytest.raises(PluginFailure, match="must return an attrs class"):
        check_config_class(cls)


def test_marking_a_hook_leaves_the_function_callable() -> None:
    assert hookimpl(lambda: 1)() == 1
