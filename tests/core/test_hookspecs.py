"""One test for every hook: what it is given, what it returns, and what happens when it fails."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest
from attrs import frozen
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from tests.failure_support import FAILURES, Failure, Start, raises, refuses, with_ctx
from tests.server_support import CONFIGURATION, NoSettings, Recorder, deliver, plugin, sender, with_mine

from duct_tape.api import Action, Check, Context, Outcome, Problem, Refusal, Run
from duct_tape.assembly import assemble
from duct_tape.cli.check import check
from duct_tape.cli.contributed import contributed_group
from duct_tape.cli.doctor import plugin_checks
from duct_tape.errors import ConfigurationError
from duct_tape.hookspecs import HOOKS, PREFIX
from duct_tape.testing import Harness


@frozen
class Colour:
    """A configuration with one key."""

    colour: str


def test_hook_config_class(ducttape: Start) -> None:
    seen: list[Context] = []
    mine = plugin(config_class=lambda: Colour, setup=with_ctx(seen.append))
    harness = with_mine(ducttape, mine, 'colour = "blue"')
    assert seen[0].config == Colour("blue")
    assert harness.instance("mine").config == Colour("blue")


def test_a_wrong_configuration_stops_the_start(ducttape: Start) -> None:
    with pytest.raises(ConfigurationError, match=r"unknown key `color` in plugins.mine .*did you mean `colour`\?"):
        with_mine(ducttape, plugin(config_class=lambda: Colour), 'colour = "blue"\ncolor = "red"')
    with pytest.raises(ConfigurationError, match="unknown key `colour`"):
        with_mine(ducttape, plugin(), 'colour = "blue"')


def test_hook_setup(ducttape: Start) -> None:
    seen: list[Context] = []
    harness = with_mine(ducttape, plugin(setup=with_ctx(seen.append)))
    ctx = seen[0]
    assert (ctx.name, ctx.plugin, ctx.prefix, ctx.config) == ("mine", "mine", "/integrations/mine", None)
    assert ctx.log.name == "mine"
    assert ctx.url == "http://127.0.0.1:9000"
    assert ctx.volume.path == harness.volume


def action(settings: Any = NoSettings) -> Action[Any]:
    async def perform(run: Run, settings: Any) -> Outcome:
        return Outcome(detail="mine")

    return Action(settings=settings, perform=perform, preview=lambda run, settings: {})


def test_hook_actions(ducttape: Start) -> None:
    mine = plugin(actions=lambda ctx: {"record": action()})
    harness = ducttape(
        '[plugins.mine]\n[plugins.sender]\n[triggers.deploy]\naction = "record"',
        plugins={"mine": mine, "sender": sender()},
    )
    deliver(harness)
    harness.settle()
    assert [run.detail for run in harness.runs()] == ["mine"]


def test_hook_routes(ducttape: Start) -> None:
    page = Route("/page", lambda request: PlainTextResponse("a page"))
    harness = with_mine(ducttape, plugin(routes=lambda ctx: [page]))
    assert harness.client.get("/integrations/mine/page").text == "a page"
    assert harness.client.get("/page").status_code == 404


def test_hook_lifespan(ducttape: Start, tmp_path: Path) -> None:
    calls: list[str] = []

    @asynccontextmanager
    async def lifespan(ctx: Context) -> AsyncIterator[None]:
        calls.append(f"enter {ctx.name}")
        yield
        calls.append(f"leave {ctx.name}")

    text = '[plugins.b]\nuse = "mine"\n[plugins.a]\nuse = "mine"'
    with Harness(tmp_path, text, plugins={"mine": plugin(lifespan=lifespan)}):
        assert calls == ["enter b", "enter a"]
    assert calls[2:] == ["leave a", "leave b"]


def test_hook_on_run(ducttape: Start) -> None:
    seen: list[tuple[str, str]] = []

    async def on_run(ctx: Context, run: Run) -> None:
        seen.append((ctx.name, run.state))

    harness = with_mine(ducttape, plugin(on_run=on_run))
    deliver(harness)
    harness.settle()
    assert seen == [("mine", "accepted"), ("mine", "done")]


def test_on_run_that_fails_is_logged_and_nothing_more(ducttape: Start, caplog: pytest.LogCaptureFixture) -> None:
    async def on_run(ctx: Context, run: Run) -> None:
        raise ValueError("broken")

    harness = with_mine(ducttape, plugin(on_run=on_run))
    deliver(harness)
    harness.settle()
    number = harness.runs()[0].id
    assert [message for message in caplog.messages if "mine" in message] == [
        f"plugin mine failed on run {number} ({state}): on_run: ValueError: broken" for state in ("accepted", "done")
    ]
    assert harness.instance("mine").on


def test_hook_before_run(ducttape: Start) -> None:
    def before_run(ctx: Context, run: Run) -> Refusal | None:
        return Refusal(reason="a freeze until Monday") if run.application == "frozen" else None

    recorder = Recorder()
    harness = with_mine(ducttape, plugin(before_run=before_run), recorder=recorder)
    deliver(harness, applications=["frozen", "free"])
    harness.settle()
    assert {run.application: (run.state, run.detail) for run in harness.runs()} == {
        "frozen": ("refused", "mine: a freeze until Monday"),
        "free": ("done", "recorded"),
    }
    assert recorder.applications == ["free"]


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (raises, "plugin mine failed before the run: ValueError: broken"),
        (refuses, "plugin mine failed before the run: the folder /x is missing"),
        (lambda ctx, run: False, "plugin mine answered with neither a Refusal nor None"),
    ],
)
def test_before_run_that_fails_refuses(ducttape: Start, function: Failure, text: str) -> None:
    recorder = Recorder()
    harness = with_mine(ducttape, plugin(before_run=lambda ctx, run: function(ctx, run)), recorder=recorder)
    deliver(harness)
    harness.settle()
    assert [(run.state, run.detail) for run in harness.runs()] == [("refused", text)]
    assert recorder.runs == []


def test_a_plugin_that_is_off_refuses_what_it_can_no_longer_decide(ducttape: Start) -> None:
    recorder = Recorder()
    broken = plugin(setup=lambda ctx: raises(), before_run=lambda ctx, run: None)
    harness = with_mine(ducttape, broken, recorder=recorder)
    deliver(harness)
    harness.settle()
    text = "plugin mine, which decides whether runs may start, is off"
    assert [(run.state, run.detail) for run in harness.runs()] == [("refused", text)]
    assert recorder.runs == []


def test_hook_health(ducttape: Start) -> None:
    healthy = threading.Event()

    def health(ctx: Context) -> Iterable[Check]:
        return [Check(name="listener", healthy=healthy.is_set())]

    harness = with_mine(ducttape, plugin(health=health))
    assert harness.client.get("/readyz").status_code == 503


def test_health_that_fails_is_a_red_check(ducttape: Start) -> None:
    harness = with_mine(ducttape, plugin(health=with_ctx(raises)))
    assert harness.client.get("/readyz").status_code == 503
    assert harness.client.get("/readyz").json() == {"status": "not ready"}
    assert harness.instance("mine").on


def test_hook_doctor(tmp_path: Path) -> None:
    def doctor(ctx: Context) -> Iterable[Check]:
        return [Check(name="sender", healthy=ctx.name == "mine", detail="it was asked")]

    found = list(plugin_checks(configured(tmp_path, plugin(doctor=doctor))))
    assert found == [Check(name="sender", healthy=True, detail="it was asked")]


@pytest.mark.parametrize(
    ("function", "text"), [(raises, "ValueError: broken"), (lambda ctx: ["fine"], "its checks must be Checks")]
)
def test_doctor_that_fails_is_a_red_check(tmp_path: Path, function: Failure, text: str) -> None:
    found = list(plugin_checks(configured(tmp_path, plugin(doctor=with_ctx(function)))))
    assert found == [Check(name="plugin mine", healthy=False, detail=text)]


def configured(folder: Path, module: ModuleType) -> Any:
    path = folder / "duct_tape.toml"
    path.write_text("[plugins.mine]\n")
    return assemble(path, {"mine": module})


def test_hook_check(tmp_path: Path) -> None:
    problem = Problem(message="the folder is missing")
    found = check(configured(tmp_path, plugin(check=lambda ctx: [problem])))
    assert [item.message for item in found] == ["the folder is missing"]
    assert found[0].file == str(tmp_path / "duct_tape.toml")


def test_check_that_fails_is_a_problem(tmp_path: Path) -> None:
    found = check(configured(tmp_path, plugin(check=with_ctx(raises))))
    assert [item.message for item in found] == ["the plugin's own check failed: ValueError: broken,"]


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[ModuleType], click.Group | None]:
    def group(module: ModuleType) -> click.Group | None:
        monkeypatch.setattr("duct_tape.cli.contributed.assemble", lambda: configured(tmp_path, module))
        monkeypatch.setattr("logging.disable", lambda level: None)
        return contributed_group("mine")

    return group


def test_hook_commands(commands: Callable[[ModuleType], click.Group | None]) -> None:
    group = commands(plugin(commands=lambda ctx: [click.Command("hello")]))
    assert group is not None
    assert list(group.commands) == ["hello"]


@FAILURES
def test_commands_that_fail_are_a_message(
    commands: Callable[[ModuleType], click.Group | None], failure: Failure, text: str
) -> None:
    with pytest.raises(click.ClickException, match=f"plugin mine failed to offer its commands: {text}"):
        commands(plugin(commands=with_ctx(failure)))
    with pytest.raises(click.ClickException, match="plugin mine is off: setup"):
        commands(plugin(setup=with_ctx(failure)))


def test_every_hook_has_a_test() -> None:
    assert {f"test_hook_{hook.removeprefix(PREFIX)}" for hook in HOOKS} <= globals().keys()


def test_hooks_are_called_in_the_order_of_the_configuration(ducttape: Start) -> None:
    calls: list[str] = []

    def module() -> ModuleType:
        async def on_run(ctx: Context, run: Run) -> None:
            calls.append(f"on_run {ctx.name}")

        return plugin(
            setup=lambda ctx: calls.append(f"setup {ctx.name}"),
            before_run=lambda ctx, run: calls.append(f"before_run {ctx.name}"),
            on_run=on_run,
        )

    plugins = {"recorder": Recorder().module, "sender": sender(), "x": module(), "y": module()}
    text = f'{CONFIGURATION}[plugins.y]\n[plugins.again]\nuse = "x"\n[plugins.x]\n'
    harness = ducttape(text, plugins=plugins)
    order = ["y", "again", "x"]
    assert calls == [f"setup {name}" for name in order]
    deliver(harness)
    harness.settle()
    assert [call for call in calls if call.startswith("before_run")] == [f"before_run {name}" for name in order]
    assert [call for call in calls if call.startswith("on_run")] == [f"on_run {name}" for name in order] * 2


def test_an_asynchronous_action_holds_up_no_answer(ducttape: Start) -> None:
    release = asyncio.Event()

    async def perform(run: Run) -> None:
        await release.wait()

    harness = with_mine(ducttape, plugin(), recorder=Recorder(perform))
    assert deliver(harness).status_code == 202
    assert [run.state for run in harness.runs()] == ["accepted"]
    assert harness.client.portal is not None
    harness.client.portal.call(release.set)
    harness.settle()
    assert [run.state for run in harness.runs()] == ["done"]
