"""What an instance says of itself."""

from __future__ import annotations

from duct_tape.conf.model import PluginTable
from duct_tape.plugins.discovery import from_object
from duct_tape.plugins.instance import Instance


def instance() -> Instance:
    table = PluginTable(instance="mine", plugin="a-plugin", data={})
    return Instance(table=table, installed=from_object("a-plugin", object()))


def test_an_instance_has_its_own_name_and_url() -> None:
    assert instance().name == "mine"
    assert instance().prefix == "/integrations/mine"


def test_an_instance_is_on_until_it_fails() -> None:
    mine = instance()
    assert mine.on
    assert mine.status()["error"] is None
    mine.failed_stage, mine.failure = "setup", "the folder is missing"
    assert not mine.on
    assert mine.status()["error"] == "setup: the folder is missing"


def test_the_status_is_all_that_an_operator_asks_for() -> None:
    mine = instance()
    mine.hooks, mine.import_seconds = {"ducttape_setup": ("ctx",)}, 0.01234
    mine.count("on_run", "ValueError: broken")
    assert mine.status() == {
        "instance": "mine",
        "plugin": "a-plugin",
        "distribution": "object",
        "version": "0",
        "enabled": True,
        "hooks": ["ducttape_setup"],
        "import_ms": 12.3,
        "failures": 1,
        "last_failure": "on_run: ValueError: broken",
        "deprecations": [],
        "error": None,
    }
