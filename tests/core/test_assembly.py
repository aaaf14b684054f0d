"""Putting the house together: what is the configuration's fault, and what a plugin's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import pytest
from attrs import frozen
from tests.server_support import NoSettings, Recorder, event, plugin, sender

from duct_tape import assembly as module
from duct_tape.api import Action, PermanentError, PlannedRun
from duct_tape.assembly import Assembly, assemble, local_url, new_run
from duct_tape.errors import ConfigurationError
from duct_tape.plugins.discovery import from_object

Build = Callable[..., Assembly]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    def built(text: str, **plugins: Any) -> Assembly:
        path = tmp_path / "duct_tape.toml"
        path.write_text(text)
        return assemble(path, {name.replace("_", "-"): plugin for name, plugin in plugins.items()})

    return built


def messages(assembly: Assembly) -> list[str]:
    return [str(problem).replace(str(assembly.configuration.sources.path), "FILE") for problem in assembly.problems]


DEPLOY = '[triggers.deploy]\naction = "record"\n'


def test_a_good_configuration_has_no_problems(build: Build) -> None:
    assembly = build(f"{DEPLOY}[plugins.recorder]\n[plugins.sender]", recorder=Recorder().module, sender=sender())
    assert assembly.require() is assembly
    assert [instance.name for instance in assembly.registry] == ["recorder", "sender"]
    assert [(trigger.name, trigger.action_name, trigger.plugin) for trigger in assembly.triggers.values()] == [
        ("deploy", "record", "recorder")
    ]
    found = assembly.instance("sender")
    assert found is not None
    assert found.routes
    assert assembly.instance("nobody") is None


def test_every_problem_is_reported_at_once(build: Build) -> None:
    text = """
    [server]
    bind = 3
    [triggers.deploy]
    action = "recrod"
    [triggers.other]
    action = "record"
    colour = "blue"
    [plugins.recorder]
    colour = "blue"
    [plugins.githup]
    """
    assembly = build(text, recorder=Recorder().module)
    assert messages(assembly) == [
        "expected a list and not a whole number, in server.bind (FILE)",
        "unknown key `colour` in plugins.recorder (FILE); known keys: none",
        "no plugin `githup` is installed, in plugins.githup (FILE); did you mean `github`?",
    ]
    with pytest.raises(ConfigurationError) as caught:
        assembly.require()
    assert len(caught.value.problems) == 3


def test_an_unknown_action_is_a_problem(build: Build) -> None:
    text = '[triggers.a]\naction = "recrod"\n[triggers.b]\naction = "xyz"\n[plugins.recorder]'
    assert messages(build(text, recorder=Recorder().module)) == [
        "there is no action `recrod`, in triggers.a.action (FILE); did you mean `record`?",
        "there is no action `xyz`, in triggers.b.action (FILE); enabled plugins offer: record",
    ]
    assert messages(build('[triggers.a]\naction = "x"'))[0].endswith("enabled plugins offer: none")


def test_wrong_settings_of_a_trigger_are_a_problem(build: Build) -> None:
    text = f'{DEPLOY}colour = "blue"\n[plugins.recorder]'
    assembly = build(text, recorder=Recorder().module)
    assert messages(assembly) == ["unknown key `colour` in triggers.deploy (FILE); known keys: none"]
    assert assembly.triggers == {}


def broken(ctx: object) -> NoReturn:
    raise ValueError("broken")


@pytest.mark.parametrize(
    "broken_plugin", [plugin(api=None), plugin(actions=broken), plugin(setup=broken, actions=broken)]
)
def test_the_action_of_a_plugin_that_is_off_is_nobodys_problem(build: Build, broken_plugin: Any) -> None:
    assembly = build(f"{DEPLOY}[plugins.recorder]", recorder=broken_plugin)
    assert assembly.problems == []
    assert assembly.triggers == {}
    assert assembly.is_off("deploy")


def test_a_plugin_that_is_off_and_never_had_actions_excuses_nothing(build: Build) -> None:
    assembly = build(f"{DEPLOY}[plugins.mine]", mine=plugin(setup=broken))
    assert [problem.message for problem in assembly.problems] == ["there is no action `record`,"]


def test_a_trigger_is_off_with_its_plugin(build: Build) -> None:
    assembly = build(f"{DEPLOY}[plugins.recorder]", recorder=Recorder().module)
    assert not assembly.is_off("deploy")
    assert not assembly.is_off("unknown")
    instance = assembly.instance("recorder")
    assert instance is not None
    instance.failure = "broken"
    assert assembly.is_off("deploy")


def test_two_plugins_of_one_name_are_a_problem(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    twice = [from_object("mine", plugin()), from_object("mine", plugin())]
    monkeypatch.setattr(module, "installed", lambda: {"mine": twice})
    assert messages(build("[plugins.mine]")) == [
        "two plugins are called `mine`: object 0 and object 0, in plugins.mine (FILE); uninstall one of them"
    ]


def test_two_plugins_with_one_action_the_later_is_off_and_both_are_named(
    build: Build, caplog: pytest.LogCaptureFixture
) -> None:
    assembly = build(f"{DEPLOY}[plugins.second]\n[plugins.first]", first=Recorder().module, second=Recorder().module)
    assert [(instance.name, instance.on) for instance in assembly.registry] == [("second", True), ("first", False)]
    assert caplog.messages == [
        "plugin first (object 0) is off: actions: the action `record` is already offered by plugin second (object 0)"
    ]
    assert assembly.triggers["deploy"].plugin == "second"


def test_one_plugin_can_have_several_instances(build: Build) -> None:
    @frozen
    class Colour:
        colour: str

    seen: dict[str, Any] = {}
    mine = plugin(config_class=lambda: Colour, setup=lambda ctx: seen.update({ctx.name: ctx.config}))
    text = '[plugins.red]\nuse = "mine"\ncolour = "red"\n[plugins.mine]\ncolour = "blue"'
    assembly = build(text, mine=mine).require()
    assert seen == {"red": Colour("red"), "mine": Colour("blue")}
    assert [instance.prefix for instance in assembly.registry] == ["/integrations/red", "/integrations/mine"]


def test_a_plugin_that_is_not_named_is_not_loaded(build: Build) -> None:
    assert list(build("", mine=plugin(setup=broken)).registry) == []


def test_an_object_takes_the_place_of_an_installed_plugin(build: Build) -> None:
    assembly = build("[plugins.touch-file]", touch_file=plugin())
    assert next(iter(assembly.registry)).installed.distribution == "object"


def preview(run: Any, settings: Any) -> Mapping[str, str]:
    if run.application == "permanent":
        raise PermanentError("no such name")
    if run.application == "broken":
        raise KeyError("colour")
    return {"flag": run.application}


def test_a_preview_says_what_a_run_would_do(build: Build) -> None:
    async def perform(run: Any, settings: Any) -> Any: ...

    action = Action(settings=NoSettings, perform=perform, preview=preview)
    assembly = build(f"{DEPLOY}[plugins.mine]", mine=plugin(actions=lambda ctx: {"record": action}))

    def previewed(application: str, trigger: str = "deploy") -> Mapping[str, str]:
        return assembly.preview("sender", PlannedRun(application=application, trigger=trigger), event())

    assert previewed("app") == {"flag": "app"}
    assert assembly.previewed == []
    for application, text in [("permanent", "no such name"), ("broken", r"preview failed \(KeyError: 'colour'\)")]:
        with pytest.raises(PermanentError, match=text):
            previewed(application)
    with pytest.raises(PermanentError, match="the trigger `unknown` cannot be used"):
        previewed("app", "unknown")


def test_while_checking_a_trigger_that_is_wrong_itself_is_not_told_again(build: Build) -> None:
    assembly = build('[triggers.deploy]\naction = "record"\n[triggers.other]\n[plugins.mine]', mine=plugin())
    assembly.checking = True
    for name in ("deploy", "other"):
        assert assembly.preview("sender", PlannedRun(application="app", trigger=name), event()) == {}
    assert [(name, planned.trigger) for name, _, planned in assembly.previewed] == [
        ("sender", "deploy"),
        ("sender", "other"),
    ]
    with pytest.raises(PermanentError, match="the trigger `unknown` cannot be used"):
        assembly.preview("sender", PlannedRun(application="app", trigger="unknown"), event())


def test_ids_of_runs_sort_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    planned = PlannedRun(application="app", trigger="deploy", vars={"a": 1})
    runs = []
    for seconds in (1.0, 2.0, 2e9):
        monkeypatch.setattr("time.time", lambda seconds=seconds: seconds)
        runs.append(new_run("sender", planned, event()))
    assert [run.id for run in runs] == sorted(run.id for run in runs)
    assert len({run.id for run in runs}) == 3
    assert (runs[0].created_at, runs[0].vars, runs[0].state) == (1.0, {"a": 1}, "accepted")


@pytest.mark.parametrize(
    ("bind", "url"),
    [
        (["127.0.0.1:9000"], "http://127.0.0.1:9000"),
        (["0.0.0.0:80"], "http://127.0.0.1:80"),
        (["unix:/run/x.sock", "[::]:81"], "http://[::1]:81"),
        (["unix:/run/x.sock"], "http://127.0.0.1:9000"),
        (["example.com:82"], "http://example.com:82"),
    ],
)
def test_the_address_from_this_machine(bind: list[str], url: str) -> None:
    assert local_url(bind) == url
