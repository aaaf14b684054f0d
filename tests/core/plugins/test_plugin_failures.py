"""One plugin that fails, at every stage and in every way: it is off, and nothing else is."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from attrs import frozen
from tests.failure_support import FAILURES, Failure, Start, raises, with_ctx
from tests.server_support import NoSettings, assert_only_mine_is_off, plugin, with_mine

from duct_tape.api import Action, Context, Outcome, Run
from duct_tape.plugins.registry import Registry


def action(settings: Any = NoSettings) -> Action[Any]:
    async def perform(run: Run, settings: Any) -> Outcome:
        return Outcome(detail="mine")

    return Action(settings=settings, perform=perform, preview=lambda run, settings: {})


@FAILURES
def test_config_class_that_fails(
    ducttape: Start, failure: Failure, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    harness = with_mine(ducttape, plugin(config_class=lambda: failure()))
    assert_only_mine_is_off(harness, caplog.messages, "config_class", text)


def test_config_class_that_is_none_of_attrs(ducttape: Start, caplog: pytest.LogCaptureFixture) -> None:
    harness = with_mine(ducttape, plugin(config_class=lambda: dict))
    assert_only_mine_is_off(
        harness, caplog.messages, "config_class", "ducttape_config_class must return an attrs class"
    )


def test_config_class_that_ends_the_process(ducttape: Start, caplog: pytest.LogCaptureFixture) -> None:
    @frozen
    class Exits:
        def __attrs_post_init__(self) -> None:
            raise SystemExit(1)

    assert_only_mine_is_off(
        with_mine(ducttape, plugin(config_class=lambda: Exits)), caplog.messages, "config", "SystemExit: 1"
    )


@FAILURES
def test_setup_that_fails(ducttape: Start, failure: Failure, text: str, caplog: pytest.LogCaptureFixture) -> None:
    assert_only_mine_is_off(with_mine(ducttape, plugin(setup=with_ctx(failure))), caplog.messages, "setup", text)


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (raises, "ValueError: broken"),
        (lambda ctx: 3, "ducttape_actions must return a mapping of name to Action"),
        (lambda ctx: {"x": 3}, "ducttape_actions must return a mapping of name to Action"),
        (lambda ctx: {"x": action(dict)}, "the settings of the action `x` must be an attrs class"),
        (
            lambda ctx: {"x": action(), "record": action()},
            "the action `record` is already offered by plugin recorder (object 0)",
        ),
    ],
)
def test_actions_that_fail(ducttape: Start, function: Failure, text: str, caplog: pytest.LogCaptureFixture) -> None:
    assert_only_mine_is_off(with_mine(ducttape, plugin(actions=with_ctx(function))), caplog.messages, "actions", text)


@pytest.mark.parametrize(
    ("function", "text"),
    [(raises, "ValueError: broken"), (lambda ctx: ["/page"], "str is not a starlette Route")],
)
def test_routes_that_fail(ducttape: Start, function: Failure, text: str, caplog: pytest.LogCaptureFixture) -> None:
    assert_only_mine_is_off(with_mine(ducttape, plugin(routes=with_ctx(function))), caplog.messages, "routes", text)


@FAILURES
def test_lifespan_that_fails(ducttape: Start, failure: Failure, text: str, caplog: pytest.LogCaptureFixture) -> None:
    @asynccontextmanager
    async def lifespan(ctx: Context) -> AsyncIterator[None]:
        failure()
        yield

    assert_only_mine_is_off(with_mine(ducttape, plugin(lifespan=lifespan)), caplog.messages, "lifespan", text)


@pytest.mark.parametrize("stage", ["setup", "actions", "routes", "lifespan"])
def test_a_hook_that_hangs_is_given_up(
    ducttape: Start, stage: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("duct_tape.assembly.Registry", partial(Registry, 0.2))
    stop = threading.Event()
    harness = with_mine(ducttape, plugin(**{stage: lambda ctx: stop.wait()}))
    assert_only_mine_is_off(harness, caplog.messages, stage, "it did not end within 0.2 seconds")
    stop.set()
