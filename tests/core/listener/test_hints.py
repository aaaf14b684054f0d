from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable

import pytest
from tests.listener_support import Host

from duct_tape.listener.hints import MOST_READS, Hints


def woken(host: Host, act: Callable[[], object]) -> bool:
    async def inside() -> bool:
        wake = asyncio.Event()
        hints = Hints(host.volume, wake.set)
        try:
            act()
            async with asyncio.timeout(0.5):
                await wake.wait()
        except TimeoutError:
            return False
        finally:
            hints.close()
            hints.close()
        return True

    return asyncio.run(inside())


def test_files_that_are_complete_wake_the_listener(host: Host) -> None:
    (host.root / "made").touch()

    assert woken(host, (host.volume / "touched").touch)
    assert woken(host, lambda: (host.root / "made").rename(host.volume / "renamed"))
    assert woken(host, host.volume.joinpath("touched").unlink) is False
    assert woken(host, lambda: host.volume.rename(host.root / "moved"))


def test_without_events_there_is_still_the_poll(
    host: Host, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "duct_tape")
    monkeypatch.setitem(sys.modules, "asyncinotify", None)

    assert not woken(host, (host.volume / "touched").touch)
    assert "looked at every second instead" in caplog.text


def test_a_watch_that_cannot_be_set_is_no_error(host: Host, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "duct_tape")
    host.volume.rmdir()

    assert not woken(host, host.make_volume)
    assert "looked at every second instead" in caplog.text


def test_events_without_end_are_not_read_to_their_end(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[int] = []

    def endless(_: int, size: int) -> bytes:
        reads.append(size)
        return b"event"

    async def inside() -> None:
        woken: list[int] = []
        hints = Hints(host.volume, lambda: woken.append(len(reads)))
        with monkeypatch.context() as patch:
            patch.setattr(os, "read", endless)
            hints._drain(0)
        hints.close()
        assert woken == [MOST_READS]

    asyncio.run(inside())
