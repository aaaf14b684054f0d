"""The context of a plugin's hooks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.server_support import CONFIGURATION, Recorder, event, plugin, sender, with_mine

from duct_tape.api import Outcome, PlannedRun, Run, Runs, RunState, UnavailableError
from duct_tape.context import Context
from duct_tape.testing import Harness
from duct_tape.volume import Volume


def test_the_configuration_is_not_in_the_representation() -> None:
    context = Context(
        name="gh",
        plugin="github",
        prefix="/integrations/gh",
        config="the secret",
        log=logging.getLogger("gh"),
        volume=Volume(Path("/volume")),
        url="http://127.0.0.1:9000",
        preview=lambda planned, event: {},
    )
    assert "secret" not in repr(context)
    assert "/integrations/gh" in repr(context)


class Asking:
    """A plugin that keeps its context, to ask the running server for something."""

    def __init__(self) -> None:
        self.module = plugin(setup=lambda ctx: self.keep(ctx))

    def keep(self, ctx: Context) -> None:
        self.context = ctx


def failing(run: Run) -> Outcome:
    return Outcome(state=RunState.FAILED, detail="no luck")


RUNS = Runs(runs=(PlannedRun(application="app", trigger="deploy"),), key="v1")


def test_what_a_plugin_hands_in_is_carried_out_once(ducttape: Callable[..., Harness]) -> None:
    asking, recorder = Asking(), Recorder()
    harness = with_mine(ducttape, asking.module, recorder=recorder)
    first = harness.call(lambda: asking.context.deliver(event(), RUNS))
    harness.settle()
    second = harness.call(lambda: asking.context.deliver(event("another"), RUNS))
    assert [run.id for run in first.runs] == [run.id for run in recorder.runs] == list(second.duplicates)
    assert recorder.runs[0].instance == "mine"
    assert [run.id for run in harness.call(lambda: asking.context.recent(5, "app", RunState.DONE))] == [
        first.runs[0].id
    ]
    assert harness.call(lambda: asking.context.recent(5, "other")) == []


def test_what_failed_is_repeated_on_request_only(ducttape: Callable[..., Harness]) -> None:
    asking, recorder = Asking(), Recorder(failing)
    harness = with_mine(ducttape, asking.module, recorder=recorder)
    harness.call(lambda: asking.context.deliver(event(), RUNS))
    harness.settle()
    assert harness.call(lambda: asking.context.deliver(event("d-2"), RUNS)).runs == ()
    assert len(harness.call(lambda: asking.context.deliver(event("d-2"), RUNS, again=True)).runs) == 1


def test_outside_of_a_running_server_it_says_so(ducttape: Callable[..., Harness], tmp_path: Path) -> None:
    asking = Asking()
    plugins = {"recorder": Recorder().module, "sender": sender(), "mine": asking.module}
    with Harness(tmp_path / "other", f"{CONFIGURATION}[plugins.mine]\n", plugins=plugins):
        pass
    with pytest.raises(UnavailableError, match="the server is not running"):
        asyncio.run(asking.context.recent(1))


def test_who_stops_waiting_for_what_he_handed_in_stops_nothing(ducttape: Callable[..., Harness]) -> None:
    asking, recorder = Asking(), Recorder()
    harness = with_mine(ducttape, asking.module, recorder=recorder)

    async def impatient() -> None:
        task = asyncio.create_task(asking.context.deliver(event(), RUNS))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    harness.call(impatient)
    second = harness.call(lambda: asking.context.deliver(event("another"), RUNS))
    harness.settle()
    assert [run.id for run in recorder.runs] == list(second.duplicates)
