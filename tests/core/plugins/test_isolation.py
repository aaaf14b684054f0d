"""Whatever a plugin's function does, its caller gets a PluginFailure and goes on."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from duct_tape.errors import PluginError
from duct_tape.plugins import isolation
from duct_tape.plugins.isolation import PluginFailure, call, call_async, call_threaded


def raises(error: BaseException) -> Callable[[], NoReturn]:
    def function() -> NoReturn:
        raise error

    return function


def raises_async(error: BaseException) -> Callable[[], Any]:
    async def function() -> NoReturn:
        raise error

    return function


class Unspeakable(Exception):
    def __str__(self) -> NoReturn:
        raise ValueError("no words")


class Deaf(BaseException):
    """What no ``except Exception`` catches."""


FAILURES = [
    (ValueError("first line\nsecond line"), "ValueError: first line"),
    (ValueError(), "ValueError"),
    (PluginError("the folder is missing"), "the folder is missing"),
    (SystemExit(3), "SystemExit: 3"),
    (KeyboardInterrupt(), "KeyboardInterrupt"),
    (Deaf("?"), r"Deaf: \?"),
    (Unspeakable(), "Unspeakable"),
    (ValueError("\n\nbelow"), "ValueError: below"),
    (RecursionError("maximum recursion depth exceeded"), "RecursionError: maximum recursion depth exceeded"),
    (ExceptionGroup("some", [ExceptionGroup("more", [ValueError("inner")]), OSError()]), "ValueError: inner"),
    (ExceptionGroup("some", [PluginError("the folder is missing")]), "the folder is missing"),
    (TimeoutError("theirs"), "TimeoutError: theirs"),
    (asyncio.CancelledError(), "CancelledError"),
    (ImportError("no module"), "ImportError: no module"),
]


@pytest.mark.parametrize(("error", "text"), FAILURES)
def test_what_a_function_raises_is_a_failure(error: BaseException, text: str) -> None:
    with pytest.raises(PluginFailure, match=f"^{text}$") as caught:
        call(raises(error))
    assert caught.value.__cause__ is error
    assert caught.value.unexpected is (text != "the folder is missing")


@pytest.mark.parametrize(("error", "text"), [*FAILURES, (StopIteration(), "StopIteration")])
def test_the_same_in_a_thread_beside_the_loop(error: BaseException, text: str) -> None:
    with pytest.raises(PluginFailure, match=f"^{text}$"):
        asyncio.run(call_threaded(raises(error), 5))


@pytest.mark.parametrize(("error", "text"), FAILURES)
def test_the_same_for_a_coroutine(error: BaseException, text: str) -> None:
    with pytest.raises(PluginFailure, match=f"^{text}$"):
        asyncio.run(call_async(raises_async(error), 5))


def test_a_failure_is_passed_on_as_it_is() -> None:
    failure = PluginFailure("as it is", unexpected=False)
    with pytest.raises(PluginFailure) as caught:
        call(raises(failure))
    assert caught.value is failure
    assert caught.value.__cause__ is None
    with pytest.raises(PluginFailure) as caught:
        asyncio.run(call_async(raises_async(failure)))
    assert caught.value is failure


def test_results_are_returned() -> None:
    async def function() -> int:
        return 3

    assert call(lambda: 1) == 1
    assert asyncio.run(call_threaded(lambda: 2)) == 2
    assert asyncio.run(call_async(function)) == 3


def test_a_function_that_hangs_is_given_up() -> None:
    stop = threading.Event()
    with pytest.raises(PluginFailure, match=r"it did not end within 0\.01 seconds"):
        call(stop.wait, 0.01)
    with pytest.raises(PluginFailure, match=r"it did not end within 0\.01 seconds"):
        asyncio.run(call_threaded(stop.wait, 0.01))
    with pytest.raises(PluginFailure, match=r"it did not end within 0\.01 seconds"):
        asyncio.run(call_async(lambda: asyncio.Event().wait(), 0.01))
    # A result that comes too late disturbs nobody; a thread that raised would be a warning.
    stop.set()
    for thread in threading.enumerate():
        if thread.name == "plugin-call":
            thread.join()


def test_a_cancellation_from_outside_is_no_failure() -> None:
    async def main() -> None:
        inside = asyncio.Event()

        async def hook() -> None:
            inside.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(call_async(hook))
        await inside.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_ctrl_c_while_a_plugin_is_called_is_not_the_plugins_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted:
        def result(self, seconds: float) -> NoReturn:
            raise KeyboardInterrupt

    monkeypatch.setattr(isolation, "_started", lambda function: Interrupted())
    with pytest.raises(KeyboardInterrupt):
        call(lambda: None)


def test_a_plugin_that_hangs_does_not_keep_the_process_from_ending() -> None:
    import subprocess

    script = (
        "import threading; from duct_tape.plugins.isolation import *\n"
        "try: call(threading.Event().wait, 0.01)\nexcept PluginFailure as failure: print(failure)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout == "it did not end within 0.01 seconds\n"
    assert done.stderr == ""
