"""Code of plugins on the event loop: what blocks is interrupted, and nothing of it ends the loop."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from typing import Any, NoReturn

import pytest

from duct_tape.plugins import watch
from duct_tape.plugins.watch import ALARM, OF_PLUGIN, BlockedError, TaskError, task_factory, watched


@pytest.fixture
def alarm(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The alarm of a server, that rings soon."""
    monkeypatch.setattr(watch, "BLOCKED_SECONDS", 0.05)
    monkeypatch.setattr(watch, "AGAIN_SECONDS", 0.05)
    ALARM.install()
    yield
    ALARM.uninstall()


def block(seconds: float) -> None:
    time.sleep(seconds)


async def sleeps() -> None:
    await asyncio.sleep(0)
    block(30)


async def spins() -> None:
    while True:
        pass


async def waits_for_a_lock() -> None:
    threading.Event().wait()


async def swallows() -> None:
    for _ in range(3):
        with suppress(BaseException):
            block(30)
    block(30)


@pytest.mark.parametrize("code", [sleeps, spins, waits_for_a_lock, swallows])
def test_what_blocks_is_interrupted(alarm: None, code: Callable[[], Coroutine[Any, Any, None]]) -> None:
    began = time.monotonic()
    with pytest.raises(BlockedError, match=r"^it kept the event loop to itself for 0\.05 seconds$"):
        asyncio.run(watched(code()))
    assert time.monotonic() - began < 15


def test_what_waits_is_left_alone(alarm: None) -> None:
    async def waits() -> int:
        for _ in range(4):
            await asyncio.sleep(0.03)
        return 3

    assert asyncio.run(watched(waits())) == 3


def test_errors_and_cancellations_arrive_where_they_belong() -> None:
    seen: list[str] = []

    async def code() -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            seen.append("cancelled")
        raise ValueError("broken")

    async def main() -> None:
        task = asyncio.create_task(watched(code()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(ValueError, match="broken"):
            await task

    asyncio.run(main())
    assert seen == ["cancelled"]


def test_a_coroutine_that_is_closed_ends() -> None:
    ended: list[bool] = []

    async def code() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async def main() -> None:
        outer = watched(code())
        outer.send(None)
        contextvars.Context().run(outer.close)

    asyncio.run(main())
    assert ended == [True]


def test_an_alarm_that_is_late_disturbs_nobody(alarm: None) -> None:
    ALARM._ring(0, None)


def test_in_another_thread_nothing_is_watched(alarm: None) -> None:
    async def short() -> int:
        block(0.1)
        return 3

    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(asyncio.run(watched(short()))))
    thread.start()
    thread.join()
    assert found == [3]


async def exits() -> NoReturn:
    raise SystemExit(2)


async def interrupts() -> NoReturn:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (exits, "SystemExit: 2"),
        (interrupts, "KeyboardInterrupt: "),
        (sleeps, r"BlockedError: it kept the event loop to itself for 0\.05 seconds"),
    ],
)
@pytest.mark.parametrize("context", [False, True])
def test_a_task_of_a_plugin_ends_nothing_but_itself(
    alarm: None, code: Callable[[], Coroutine[Any, Any, None]], text: str, context: bool
) -> None:
    async def plugins_own() -> None:
        options: dict[str, Any] = {"context": contextvars.copy_context()} if context else {}
        task = asyncio.create_task(code(), **options)
        with pytest.raises(TaskError, match=f"^{text}$"):
            await task

    async def main() -> None:
        asyncio.get_running_loop().set_task_factory(task_factory)
        await watched(plugins_own())
        assert await asyncio.create_task(asyncio.sleep(0, "the server's own")) == "the server's own"
        assert not OF_PLUGIN.get()

    asyncio.run(main())
