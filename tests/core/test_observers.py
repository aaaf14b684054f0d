"""Observers are told every state in order, and never hold anything up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from tests.server_support import plugin, run

from duct_tape import observers as module
from duct_tape.conf.model import PluginTable
from duct_tape.observers import Observers
from duct_tape.plugins.discovery import from_object
from duct_tape.plugins.registry import Registry

OnRun = Callable[..., Awaitable[None]]


def registry(**hooks: OnRun) -> Registry:
    found = Registry()
    for name, on_run in hooks.items():
        table = PluginTable(instance=name, plugin=name, data={})
        found.enable(table, from_object(name, plugin(on_run=on_run)))
    return found


def told(observers: Observers, numbers: Iterator[int] | range, seconds: float = 5.0) -> None:
    async def main() -> None:
        work = asyncio.create_task(observers.work())
        for number in numbers:
            observers.tell(run(number))
        await observers.drain(seconds)
        work.cancel()

    asyncio.run(main())


def test_everybody_is_told_in_order() -> None:
    seen: list[str] = []

    async def on_run(ctx: object, run: Any) -> None:
        seen.append(run.id)

    told(Observers(registry(a=on_run, b=on_run)), range(3))
    assert seen == ["run-0"] * 2 + ["run-1"] * 2 + ["run-2"] * 2


async def fails(ctx: object, run: object) -> None:
    raise ValueError("broken")


async def exits(ctx: object, run: object) -> None:
    raise SystemExit(1)


async def interrupts(ctx: object, run: object) -> None:
    raise KeyboardInterrupt


async def closes(ctx: object, run: object) -> None:
    raise GeneratorExit


async def cancels(ctx: object, run: object) -> None:
    raise asyncio.CancelledError


async def hangs(ctx: object, run: object) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("broken", "text"),
    [
        (fails, "ValueError: broken"),
        (exits, "SystemExit: 1"),
        (interrupts, "KeyboardInterrupt"),
        (closes, "GeneratorExit"),
        (cancels, "CancelledError"),
        (hangs, "it did not end within 0.02 seconds"),
    ],
)
def test_one_that_fails_is_logged_and_counted_and_the_others_are_told(
    broken: OnRun, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[str] = []

    async def on_run(ctx: object, run: Any) -> None:
        seen.append(run.id)

    found = registry(broken=broken, fine=on_run)
    observers = Observers(found, seconds=0.02)
    told(observers, range(2))
    assert seen == ["run-0", "run-1"]
    assert [(instance.failures, instance.last_failure) for instance in found] == [(2, f"on_run: {text}"), (0, "")]
    assert caplog.messages == [f"plugin broken failed on run run-{n} (accepted): on_run: {text}" for n in range(2)]


def test_one_that_is_off_is_told_nothing() -> None:
    found = registry(a=fails)
    found.instances[0].failure = "broken"
    observers = Observers(found)
    told(observers, range(1))
    assert found.instances[0].failures == 0


def test_without_observers_nothing_is_queued() -> None:
    observers = Observers(Registry())
    observers.tell(run())
    asyncio.run(observers.settle())


def test_what_is_too_much_is_dropped_and_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[str] = []

    async def on_run(ctx: object, run: Any) -> None:
        seen.append(run.id)

    monkeypatch.setattr(module, "MAX_WAITING", 2)
    told(Observers(registry(a=on_run)), range(3))
    assert seen == ["run-0", "run-1"]
    assert caplog.messages == ["observers are too slow: they are not told of run run-2 (accepted)"]


def test_stopping_waits_for_a_bounded_time(caplog: pytest.LogCaptureFixture) -> None:
    told(Observers(registry(a=hangs)), range(1), seconds=0.01)
    assert caplog.messages == ["observers were not told everything before the server stopped"]
