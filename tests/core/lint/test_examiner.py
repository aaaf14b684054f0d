"""Looking at a plugin, stage by stage: in this process, since none of these plugins harms it."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from tests.lint_support import GOOD, subject

from duct_tape.lint import examiner
from duct_tape.lint.examiner import Examiner

# What is written to the report, as pairs of key and value.
Said: TypeAlias = list[tuple[str, Any]]
HEAD = "from duct_tape.api import *\nfrom starlette.routing import Route\nDUCT_TAPE_API = (1, 0)\n"


@pytest.fixture
def examine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Said]]:
    """Look at a plugin in this process; its module is forgotten afterwards."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.syspath_prepend(str(tmp_path))

    def examine(source: str, target: str = "duct_tape_hello") -> Said:
        looked_at = subject(tmp_path, source)
        report = io.StringIO()
        Examiner(report, "hello", target, (str(looked_at.places["duct_tape_hello"]),)).examine()
        return [pair for line in report.getvalue().splitlines() for pair in json.loads(line).items()]

    yield examine
    for name in [name for name in sys.modules if name.partition(".")[0] == "duct_tape_hello"]:
        del sys.modules[name]


def told(said: Said) -> list[tuple[str, int, str]]:
    return [(item["rule"], item["line"], item["message"]) for key, item in said if key == "finding"]


def notes(said: Said) -> list[str]:
    return [text for key, text in said if key == "note"]


def test_a_good_one_goes_through_every_stage(examine: Callable[..., Said]) -> None:
    said = examine(GOOD)
    assert (told(said), notes(said)) == ([], [])
    assert [stage for key, stage in said if key == "stage"] == [
        "import", "hook", "config-class", "actions", "setup", "routes", "commands"
    ]  # fmt: skip
    assert said[-1] == ("done", True)
    assert sum(key == "called" for key, _ in said) == 2


@pytest.mark.parametrize(
    ("source", "rule", "line", "message"),
    [
        ("1 / 0", "import-fails", 1, "importing it raises ZeroDivisionError: division by zero"),
        ("\nimport sys; sys.exit(3)", "import-fails", 2, "importing it raises SystemExit: 3"),
        ("import nothing_of_this_name", "import-fails", 1, "No module named 'nothing_of_this_name'"),
        ("from duct_tape.api import nothing", "import-fails", 1, "cannot import name 'nothing'"),
        ("def f(:", "syntax", 1, "this is no Python"),
    ],
)
def test_imports_that_fail(examine: Callable[..., Said], source: str, rule: str, line: int, message: str) -> None:
    said = examine(source)
    [(its_rule, its_line, text)] = told(said)
    assert (its_rule, its_line) == (rule, line)
    assert message in text
    assert said[-1] == ("done", True)


@pytest.mark.parametrize(
    "target", ["duct_tape_hello.nowhere", "duct_tape_hello:nothing", "duct_tape_hallo:x", "no module!"]
)
def test_entry_points_that_lead_nowhere(examine: Callable[..., Said], target: str) -> None:
    [(rule, _, message)] = told(examine(GOOD, target))
    assert rule == "entry-target"
    assert f"`hello = {target}` leads nowhere" in message


def test_an_attribute_that_is_missing_inside_is_no_wrong_entry_point(examine: Callable[..., Said]) -> None:
    [(rule, line, _)] = told(examine("import os\nos.nothing\nplugin = 1", "duct_tape_hello:plugin"))
    assert (rule, line) == ("import-fails", 2)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("class Plugin:\n    pass", "the entry point is a class"),
        ("class Other:\n    __hash__ = None\nPlugin = Other()", "the plugin object is not hashable"),
    ],
)
def test_objects_that_cannot_be_plugins(examine: Callable[..., Said], source: str, message: str) -> None:
    [(rule, _, text)] = told(examine(source, "duct_tape_hello:Plugin"))
    assert rule == "entry-target"
    assert message in text


@pytest.mark.parametrize(
    ("source", "rule", "message"),
    [
        ("@hookimpl\ndef ducttape_config_class(): raise OSError('no')", "config-class", "fails: OSError: no"),
        ("@hookimpl\ndef ducttape_config_class(): return dict", "config-class", "is no attrs class"),
        ("@hookimpl\ndef ducttape_actions(ctx): return [1]", "actions", "must return a mapping"),
        ("@hookimpl\ndef ducttape_actions(ctx): return {'x': ctx.name}", "actions", "'NoneType' object has no"),
        ("@hookimpl\ndef ducttape_actions(): return {'x': Action(settings=dict, perform=1, preview=1)}",
         "actions", "the settings of the action `x` must be an attrs class"),
        ("@hookimpl\ndef ducttape_routes(): return 5", "routes", "must return Starlette routes"),
        ("@hookimpl\ndef ducttape_routes(ctx): return [Route('/a', print), Route('/a', print)]", "routes",
         "two routes answer GET /a"),
        ("@hookimpl\ndef ducttape_routes(ctx): return [Route('a', print)]", "routes", "must start with '/'"),
        ("@hookimpl\ndef ducttape_routes(ctx): return ctx.config.x", "routes", "has no attribute 'x'"),
        ("@hookimpl\ndef ducttape_commands(ctx): return ['x']", "commands", "str is not a click command"),
    ],
)  # fmt: skip
def test_what_a_plugin_offers_and_cannot(examine: Callable[..., Said], source: str, rule: str, message: str) -> None:
    [(its_rule, line, text)] = told(examine(HEAD + source))
    assert its_rule == rule
    assert line in (0, 5)
    assert message in text


ACTION = (
    HEAD
    + """
from attrs import frozen
@frozen
class Settings:
    'S.'
def preview(run, settings): return {}
async def perform(run, settings): return Outcome()
%s
@hookimpl
def ducttape_actions(): return {'x': Action(settings=Settings, perform=perform, preview=preview)}
"""
)


@pytest.mark.parametrize(
    "source",
    [
        "",
        "def perform(run, settings): return other(run)",
        "from collections.abc import Awaitable\ndef perform(run: Run, settings: Settings) -> Awaitable[Outcome]: ...",
        "import functools\nperform = functools.partial(perform)",
        "preview = dict.fromkeys",
    ],
)
def test_functions_of_a_good_action(examine: Callable[..., Said], source: str) -> None:
    assert told(examine(ACTION % source)) == []


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        ("def perform(run, settings) -> Outcome: ...", 11, "`perform` of the action `x` is not async"),
        ("async def preview(run, settings): ...", 11, "`preview` of the action `x` is async, and is not awaited"),
        ("async def perform(run): ...", 11, "`perform` of the action `x` does not take a run and the settings"),
        (
            "def preview(run, settings, more): ...",
            11,
            "`preview` of the action `x` does not take a run and the settings",
        ),
        ("perform = 5", 0, "`perform` of the action `x` cannot be called"),
    ],
)
def test_functions_of_an_action_that_would_fail_at_the_first_run(
    examine: Callable[..., Said], source: str, line: int, message: str
) -> None:
    assert told(examine(ACTION % source)) == [("actions", line, message)]


def test_settings_of_actions_are_looked_at(examine: Callable[..., Said]) -> None:
    source = "import attrs\n@attrs.define\nclass S:\n    action: str\n@hookimpl\ndef ducttape_actions():\n"
    source += "    return {'touch-file': Action(settings=S, perform=print, preview=print)}"
    found = told(examine(HEAD + source))
    assert {rule for rule, _, _ in found} == {"actions", "config-frozen", "config-key", "config-help"}
    [taken] = [message for rule, _, message in found if rule == "actions"]
    assert taken == "the action `touch-file` is already offered by plugin touch-file (duct-tape-plugins 1.0.0)"


RECEIVER = (
    HEAD
    + """
def parse(delivery):
    %s
def decide(event): return Ignored(reason="x")
class Nobody:
    def admit(self, delivery): ...
    def verify(self, delivery): ...
@hookimpl
def ducttape_routes(ctx):
    return [ReceiverRoute(Receiver(verifier=Nobody(), parse=parse, decide=decide%s))]
"""
)


@pytest.mark.parametrize(
    ("parse", "sample", "message"),
    [
        ("return Event(name='x', delivery=parse_json(delivery.body)['id'])", "", "fails on the body b'{}' (KeyError"),
        ("import json; return Event(name='x', delivery=str(json.loads(delivery.body)))", "",
         "fails on the body b'' (JSONDecodeError"),
        ("return None", "", "fails on the body"),
        ("raise MalformedError('no')", ", sample=lambda sample: RawDelivery.build({}, b'')",
         "does not understand its own sample (no)"),
        ("raise MalformedError('no')", ", sample=lambda sample: 1 / 0",
         "does not understand its own sample (ZeroDivisionError"),
    ],
)  # fmt: skip
def test_receivers(examine: Callable[..., Said], parse: str, sample: str, message: str) -> None:
    [(rule, line, text)] = told(examine(RECEIVER % (parse, sample)))
    assert (rule, line) == ("receiver", 5)
    assert message in text


def test_a_good_receiver(examine: Callable[..., Said]) -> None:
    parse = "return Event(name='x', delivery=member(parse_json(delivery.body), 'id', str))"
    sample = ', sample=lambda sample: RawDelivery.build({}, b\'{"id": "x"}\')'
    assert told(examine(RECEIVER % (parse, sample))) == []


@pytest.mark.parametrize(
    ("source", "note"),
    [
        ("@hookimpl\ndef ducttape_setup(ctx): raise PluginError('no such folder')",
         "(setup: no such folder), so routes and commands were not looked at"),
        ("@hookimpl\ndef ducttape_routes(ctx): raise PluginError('no token')",
         "the routes could not be looked at: no token"),
        ("from attrs import frozen\n@frozen\nclass C:\n    '''C.'''\n    x: int = option('X.')\n"
         "    def ducttape_problems(self):\n        yield Problem(message='`x` is odd,')\n"
         "@hookimpl\ndef ducttape_config_class(): return C",
         "(`x` is odd), so routes and commands were not looked at"),
    ],
)  # fmt: skip
def test_what_a_plugin_refuses_on_purpose_is_a_note(examine: Callable[..., Said], source: str, note: str) -> None:
    said = examine(HEAD + source)
    assert told(said) == []
    [text] = notes(said)
    assert text.startswith("plugin hello: ")
    assert note in text


def test_one_broken_hook_does_not_hide_the_others(examine: Callable[..., Said]) -> None:
    source = "def ducttape_setup(): ...\n@hookimpl\ndef ducttape_routes(ctx): return [1]\n"
    assert {rule for rule, _, _ in told(examine(source.join(("from duct_tape.api import hookimpl\n", ""))))} == {
        "api-version", "hook-undecorated", "routes"
    }  # fmt: skip


def test_the_order_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr("os._exit", ended.append)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "linted_by_order.py").write_text("DUCT_TAPE_API = (1, 0)\n")
    monkeypatch.chdir(tmp_path)
    folder = str(tmp_path)
    order = {"name": "x", "target": "linted_by_order", "report": f"{folder}/r", "path": [folder], "folders": [folder]}
    examiner.main(order)
    assert ended == [0]
    assert json.loads((tmp_path / "r").read_text().splitlines()[-1]) == {"done": True}
