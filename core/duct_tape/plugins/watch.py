"""Plugin code on the server's own event loop: what it keeps to itself, and what would end the process.

Hooks that are not ``async`` run in threads, where a hang costs a thread. A coroutine that never awaits would hold up
everybody. So an alarm interrupts it, in the main thread of a server; elsewhere nothing is watched. And a task of a
plugin's own that raises ``SystemExit`` would take the event loop along.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from types import FrameType, TracebackType, coroutine
from typing import Any, TypeVar

T = TypeVar("T")

# How long one step, from one await to the next, may take.
BLOCKED_SECONDS = 5.0
# Once more, for code that swallows the first.
AGAIN_SECONDS = 1.0

# Set where a plugin's code runs, and in the tasks that it begins.
OF_PLUGIN: ContextVar[bool] = ContextVar("of_plugin", default=False)


class BlockedError(BaseException):
    """Raised in the midst of code that keeps the event loop to itself; no ``except Exception`` catches it."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"it kept the event loop to itself for {seconds:g} seconds")


class TaskError(Exception):
    """A task of a plugin's own raised what would have ended the event loop."""


class Alarm:
    """Rings in a step that takes too long."""

    def __init__(self) -> None:
        self._installed = False
        self._running = False

    def install(self) -> None:
        """Take the signal. Only for the main thread of a process of ours."""
        signal.signal(signal.SIGALRM, self._ring)
        self._installed = True

    def uninstall(self) -> None:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        self._installed = False

    def __enter__(self) -> None:
        if self._installed and threading.current_thread() is threading.main_thread():
            self._running = True
            signal.setitimer(signal.ITIMER_REAL, BLOCKED_SECONDS, AGAIN_SECONDS)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._running:
            # First, since the alarm may ring up to the next line.
            self._running = False
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _ring(self, number: int, frame: FrameType | None) -> None:
        if self._running:
            raise BlockedError(BLOCKED_SECONDS)


ALARM = Alarm()


async def watched(code: Coroutine[Any, Any, T]) -> T:
    """The coroutine's result; a step of it that takes too long is interrupted.

    :raises BlockedError: that happened.
    """
    token = OF_PLUGIN.set(True)
    try:
        result: T = await _steps(code)
        return result
    finally:
        with suppress(ValueError):
            # Closed from elsewhere, it is in another context.
            OF_PLUGIN.reset(token)


@coroutine
def _steps(code: Coroutine[Any, Any, T]) -> Generator[Any, Any, T]:
    step: Callable[[], Any] = partial(code.send, None)
    while True:
        try:
            with ALARM:
                waiting = step()
        except StopIteration as end:
            result: T = end.value
            return result
        try:
            step = partial(code.send, (yield waiting))
        except GeneratorExit:
            code.close()
            raise
        except BaseException as error:
            step = partial(code.throw, error)


def task_factory(loop: asyncio.AbstractEventLoop, code: Any, **options: Any) -> asyncio.Task[Any]:
    """Tasks that a plugin begins are watched, and can end nothing but themselves."""
    context = options.get("context")
    of_plugin = context.get(OF_PLUGIN, False) if context is not None else OF_PLUGIN.get()
    return asyncio.Task(_own(code) if of_plugin else code, loop=loop, **options)


async def _own(code: Coroutine[Any, Any, T]) -> T:
    try:
        return await watched(code)
    except (SystemExit, KeyboardInterrupt, BlockedError) as error:
        raise TaskError(f"{type(error).__name__}: {error}") from error
