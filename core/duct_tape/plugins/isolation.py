"""Calling code of plugins so that nothing it does reaches further than the plugin itself."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import TypeVar

from duct_tape.errors import DuctTapeError
from duct_tape.plugins.watch import BlockedError, TaskError, watched

T = TypeVar("T")

# Home Assistant warns at 10 s and gives up at 300 s; nothing here talks to slow hardware.
HOOK_SECONDS = 30.0


class PluginFailure(DuctTapeError):
    """A plugin's code raised, hung or tried to end the process.

    :param traceback: whether the log should show where, which it should not for a ``PluginError``.
    """

    def __init__(self, text: str, *, unexpected: bool) -> None:
        super().__init__(text)
        self.unexpected = unexpected


def call(function: Callable[[], T], seconds: float = HOOK_SECONDS) -> T:
    """Call a plugin's function and wait for it.

    :raises PluginFailure: it raised anything at all, ``SystemExit`` included, or did not end in time.
    """
    try:
        return _started(function).result(seconds)
    except TimeoutError:
        # Only ours: whatever the function raised arrives as a PluginFailure.
        raise hanging(seconds) from None


async def call_threaded(function: Callable[[], T], seconds: float = HOOK_SECONDS) -> T:
    """The same without holding up the event loop."""
    return await call_async(lambda: asyncio.wrap_future(_started(function)), seconds)


async def call_async(function: Callable[[], Awaitable[T]], seconds: float | None = HOOK_SECONDS) -> T:
    """The same for a coroutine; without ``seconds`` it may take for ever.

    :raises PluginFailure: it raised anything but a cancellation from outside, or did not end in time.
    """
    deadline = asyncio.timeout(seconds)
    try:
        async with deadline:
            awaitable = function()
            return await (watched(awaitable) if asyncio.iscoroutine(awaitable) else awaitable)
    except PluginFailure:
        raise
    except TimeoutError as error:
        if not deadline.expired():
            raise as_failure(error) from error
        raise hanging(seconds or 0.0) from None
    except asyncio.CancelledError as error:
        if cancelled_from_outside():
            raise
        raise as_failure(error) from error
    except BaseException as error:
        # Ctrl-C is a signal that the server handles; as an exception it can only be the plugin's own.
        raise as_failure(error) from error


def cancelled_from_outside() -> bool:
    """Whether a CancelledError means this task, and not one of the plugin's own that the plugin waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def hanging(seconds: float) -> PluginFailure:
    """The failure of what did not end in time."""
    return PluginFailure(f"it did not end within {seconds:g} seconds", unexpected=False)


def as_failure(error: BaseException) -> PluginFailure:
    """The failure to report for whatever a plugin raised."""
    while isinstance(error, BaseExceptionGroup):
        # That a task group failed says nothing; what failed in it does.
        error = error.exceptions[0]
    if isinstance(error, PluginFailure):
        return error
    try:
        text = str(error)
    except Exception:
        # Its `__str__` is the plugin's code as well.
        text = ""
    if isinstance(error, DuctTapeError | BlockedError | TaskError):
        return PluginFailure(text, unexpected=False)
    first = text.strip().splitlines()[0][:300] if text.strip() else ""
    return PluginFailure(f"{type(error).__name__}: {first}" if first else type(error).__name__, unexpected=True)


def _started(function: Callable[[], T]) -> Future[T]:
    future: Future[T] = Future()
    # From here on nobody can cancel it: a result that comes too late is dropped instead of raising in the thread.
    future.set_running_or_notify_cancel()

    def work() -> None:
        try:
            result = function()
        except BaseException as error:
            # Wrapped here: a future passes SystemExit on as if we meant it, and chokes on StopIteration.
            failure = as_failure(error)
            if failure is not error:
                failure.__cause__ = error
            future.set_exception(failure)
        else:
            future.set_result(result)

    # A daemon, since a function that never ends must not keep the process from ending.
    threading.Thread(target=work, daemon=True, name="plugin-call").start()
    return future
