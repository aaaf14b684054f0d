"""Which action a trigger means, also where several instances of one plugin offer it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import pytest
from attrs import field, frozen
from tests.failure_support import Start
from tests.server_support import NoSettings, Recorder, deliver, plugin, sender

from duct_tape.api import Action, Context, Outcome, Run
from duct_tape.assembly import Assembly, assemble

Build = Callable[..., Assembly]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    def built(text: str, **plugins: Any) -> Assembly:
        path = tmp_path / "duct_tape.toml"
        path.write_text(text)
        return assemble(path, plugins)

    return built


def messages(assembly: Assembly) -> list[str]:
    return [str(problem).replace(f" ({assembly.configuration.sources.path})", "") for problem in assembly.problems]


async def perform(run: Run, settings: Any) -> Outcome:
    raise AssertionError


def offering(settings: Any = NoSettings, *names: Any) -> ModuleType:
    action = Action(settings=settings, perform=perform, preview=lambda run, settings: {})
    return plugin(actions=lambda ctx: dict.fromkeys(names or ("act",), action))


INSTANCES = '[plugins.one]\nuse = "mine"\n[plugins.two]\nuse = "mine"\n'


def test_with_several_instances_a_trigger_says_which(build: Build) -> None:
    text = f'{INSTANCES}[triggers.a]\naction = "one:act"\n[triggers.b]\naction = "two:act"\n'
    assembly = build(text, mine=offering()).require()
    assert {trigger.name: trigger.plugin for trigger in assembly.triggers.values()} == {"a": "one", "b": "two"}


def test_one_instance_can_be_named_in_full_too(build: Build) -> None:
    assembly = build('[plugins.mine]\n[triggers.a]\naction = "mine:act"\n', mine=offering()).require()
    assert assembly.triggers["a"].plugin == "mine"


@pytest.mark.parametrize(
    ("action", "text"),
    [
        ("act", "the action `act` is offered by 2 instances, in triggers.a.action; write `one:act` or `two:act`"),
        ("onw:act", "there is no action `onw:act`, in triggers.a.action; did you mean `one:act`?"),
        ("xyz", "there is no action `xyz`, in triggers.a.action; enabled plugins offer: one:act, two:act"),
        ("one:", "there is no action `one:`, in triggers.a.action; did you mean `one:act`?"),
    ],
)
def test_a_name_that_means_none_comes_with_those_that_do(build: Build, action: str, text: str) -> None:
    assert messages(build(f'{INSTANCES}[triggers.a]\naction = "{action}"\n', mine=offering())) == [text]


def broken_in(name: str) -> ModuleType:
    """A plugin of which one instance fails."""

    def setup(ctx: Context) -> None:
        if ctx.name == name:
            raise ValueError("broken")

    module = offering()
    vars(module).update(vars(plugin(setup=setup)) | {"ducttape_actions": module.ducttape_actions})
    return module


def test_that_an_instance_is_off_gives_its_action_to_nobody_else(build: Build) -> None:
    text = f'{INSTANCES}[triggers.a]\naction = "one:act"\n[triggers.b]\naction = "two:act"\n'
    assembly = build(text, mine=broken_in("one")).require()
    assert [(name, assembly.is_off(name)) for name in ("a", "b")] == [("a", True), ("b", False)]
    assert messages(build(f'{INSTANCES}[triggers.a]\naction = "act"\n', mine=broken_in("one"))) == [
        "the action `act` is offered by 2 instances, in triggers.a.action; write `one:act` or `two:act`"
    ]


def test_an_instance_that_is_off_excuses_nobody_else(build: Build) -> None:
    text = f'{INSTANCES}[triggers.a]\naction = "two:atc"\n'
    assert messages(build(text, mine=broken_in("one"))) == [
        "there is no action `two:atc`, in triggers.a.action; did you mean `two:act`?"
    ]


def test_each_instance_carries_out_its_own(ducttape: Start) -> None:
    def actions(ctx: Context) -> Mapping[str, Action[Any]]:
        async def done(run: Run, settings: Any) -> Outcome:
            return Outcome(detail=f"by {ctx.name}")

        return {"record": Action(settings=NoSettings, perform=done, preview=lambda run, settings: {})}

    text = '[plugins.sender]\n[triggers.deploy]\naction = "two:record"\n'
    harness = ducttape(INSTANCES + text, plugins={"mine": plugin(actions=actions), "sender": sender()})
    deliver(harness)
    harness.settle()
    assert [run.detail for run in harness.runs()] == ["by two"]


def raises(value: object = None) -> NoReturn:
    raise SystemExit("no settings")


@frozen
class Exits:
    """Settings that cannot be made."""

    x: int = field(default=1, validator=lambda *_: raises())


@pytest.mark.parametrize(
    ("module", "text"),
    [
        (offering(NoSettings, 3), "3 cannot be the name of an action"),
        (offering(NoSettings, ""), "'' cannot be the name of an action"),
        (offering(NoSettings, "a:b"), "'a:b' cannot be the name of an action"),
        (offering(Exits, "act"), "SystemExit: no settings"),
    ],
)
def test_what_cannot_be_used_switches_its_plugin_off(build: Build, module: ModuleType, text: str) -> None:
    configuration = '[plugins.mine]\n[plugins.recorder]\n[triggers.a]\naction = "act"\n[triggers.b]\naction = "act"\n'
    assembly = build(configuration, mine=module, recorder=Recorder().module).require()
    mine, recorder = assembly.registry
    assert (mine.failed_stage, mine.failure) == ("actions", text)
    assert recorder.on
    assert assembly.is_off("a")
