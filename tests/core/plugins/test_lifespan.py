"""A plugin's lifespan is entered and left in order, and what happens in it stays in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from tests.server_support import plugin

from duct_tape.conf.model import PluginTable
from duct_tape.plugins.discovery import from_object
from duct_tape.plugins.instance import Instance
from duct_tape.plugins.lifespan import plugin_lifespan
from duct_tape.plugins.registry import Registry

SECONDS = 0.05


def enabled(registry: Registry, name: str, lifespan: Callable[..., Any]) -> Instance:
    table = PluginTable(instance=name, plugin=name, data={})
    return registry.enable(table, from_object(name, plugin(lifespan=lifespan)))


def live(lifespan: Callable[..., Any], during: Callable[[], Any] | None = None) -> Instance:
    """Enter and leave one lifespan."""
    registry = Registry(SECONDS)
    instance = enabled(registry, "mine", lifespan)

    async def main() -> None:
        async with plugin_lifespan(registry, instance, SECONDS):
            if during is not None:
                await during()

    asyncio.run(main())
    return instance


async def until_it_ends() -> None:
    running = {task for task in asyncio.all_tasks() if task.get_name() == "lifespan mine"}
    await asyncio.gather(*running, return_exceptions=True)
    await asyncio.sleep(0)


def test_lifespans_are_entered_in_order_and_left_in_reverse() -> None:
    registry, calls = Registry(), list[str]()

    def lifespan(name: str) -> Callable[..., Any]:
        @asynccontextmanager
        async def one(ctx: object) -> AsyncIterator[None]:
            calls.append(f"enter {name}")
            yield
            calls.append(f"leave {name}")

        return one

    async def main() -> None:
        async with AsyncExitStack() as stack:
            for instance in registry:
                await stack.enter_async_context(plugin_lifespan(registry, instance, SECONDS))
            calls.append("serve")

    for name in "abc":
        enabled(registry, name, lifespan(name))
    asyncio.run(main())
    assert calls == ["enter a", "enter b", "enter c", "serve", "leave c", "leave b", "leave a"]


def test_a_plugin_without_a_lifespan_is_left_alone() -> None:
    assert live(lambda ctx: None).on


@asynccontextmanager
async def fails_on_entering(ctx: object) -> AsyncIterator[None]:
    raise ValueError("no route to host")
    yield


@asynccontextmanager
async def exits_on_entering(ctx: object) -> AsyncIterator[None]:
    raise SystemExit(2)
    yield


@asynccontextmanager
async def hangs_on_entering(ctx: object) -> AsyncIterator[None]:
    await asyncio.Event().wait()
    yield


NO_MANAGER = "ducttape_lifespan must return an asynchronous context manager, and not"


async def no_manager() -> AsyncIterator[None]:
    yield


@pytest.mark.parametrize(
    ("lifespan", "text"),
    [
        (fails_on_entering, "ValueError: no route to host"),
        (exits_on_entering, "SystemExit: 2"),
        (hangs_on_entering, "it did not end within 0.05 seconds"),
        (lambda ctx: 3, f"{NO_MANAGER} int"),
        (lambda ctx: no_manager(), f"{NO_MANAGER} async_generator; mark it with @asynccontextmanager below @hookimpl"),
    ],
)
def test_a_plugin_that_cannot_start_is_off(
    lifespan: Callable[..., Any], text: str, caplog: pytest.LogCaptureFixture
) -> None:
    instance = live(lifespan)
    assert instance.failed_stage == "lifespan"
    assert instance.failure.startswith(text)
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith(f"plugin mine (object 0) is off: lifespan: {text}")


@asynccontextmanager
async def fails_on_leaving(ctx: object) -> AsyncIterator[None]:
    yield
    raise ValueError("cannot say goodbye")


@asynccontextmanager
async def hangs_on_leaving(ctx: object) -> AsyncIterator[None]:
    yield
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("lifespan", "text"),
    [
        (fails_on_leaving, "ValueError: cannot say goodbye"),
        (hangs_on_leaving, "it did not end within 0.05 seconds"),
    ],
)
def test_a_plugin_that_cannot_stop_is_reported_and_holds_up_nobody(
    lifespan: Callable[..., Any], text: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert live(lifespan).on
    assert caplog.messages == [f"plugin mine failed when it was stopped: {text}"]


def test_a_background_task_that_fails_takes_only_its_plugin_along(caplog: pytest.LogCaptureFixture) -> None:
    async def poll() -> None:
        raise ValueError("the other side is gone")

    @asynccontextmanager
    async def lifespan(ctx: object) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            group.create_task(poll())
            yield

    instance = live(lifespan, until_it_ends)
    assert (instance.on, instance.failed_stage) == (False, "lifespan")
    assert instance.failure == "ValueError: the other side is gone"
    assert len(caplog.messages) == 1


def test_a_manager_that_swallows_its_end_is_off_too(caplog: pytest.LogCaptureFixture) -> None:
    class Manager:
        async def __aenter__(self) -> None:
            task = asyncio.current_task()
            assert task is not None
            asyncio.get_running_loop().call_soon(task.cancel)

        async def __aexit__(self, *_: object) -> bool:
            return True

    assert live(lambda ctx: Manager(), until_it_ends).failure == "it ended while the server was running"


def test_a_server_that_is_stopped_while_it_starts_waits_for_no_plugin() -> None:
    registry = Registry()
    instance = enabled(registry, "mine", hangs_on_entering)

    async def main() -> None:
        async def start() -> None:
            async with plugin_lifespan(registry, instance, SECONDS):
                raise AssertionError

        task = asyncio.create_task(start())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert instance.on
