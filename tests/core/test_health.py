"""Health: every check of the core and of the plugins, at a bounded price."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
from tests.server_support import plugin

from duct_tape import health as module
from duct_tape.api import Check
from duct_tape.assembly import assemble
from duct_tape.errors import JournalError
from duct_tape.health import Health


class Journal:
    """A journal that can only be counted."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.asked = 0

    async def counts(self) -> dict[str, int]:
        self.asked += 1
        if self.error:
            raise self.error
        return {}


@pytest.fixture
def health(tmp_path: Path) -> Callable[..., Health]:
    def build(journal: Any = None, **hooks: Callable[..., Any]) -> Health:
        found: Any = journal or Journal()
        (tmp_path / "volume").mkdir(exist_ok=True)
        path = tmp_path / "duct_tape.toml"
        path.write_text(f'[volume]\npath = "{tmp_path}/volume"\n[plugins.mine]')
        return Health(assemble(path, {"mine": plugin(**hooks)}), found)

    return build


def red(checks: tuple[Check, ...]) -> dict[str, str]:
    return {check.name: check.detail for check in checks if not check.healthy}


def test_all_is_well(health: Callable[..., Health]) -> None:
    found = health()
    assert [check.name for check in asyncio.run(found.checks())] == ["volume", "journal", "plugin mine"]
    assert asyncio.run(found.ready())


def test_a_volume_that_is_gone_is_red(health: Callable[..., Health], tmp_path: Path) -> None:
    found = health()
    (tmp_path / "volume").rmdir()
    assert red(asyncio.run(found.checks())) == {"volume": f"{tmp_path}/volume cannot be written"}
    assert not asyncio.run(found.ready())


def test_a_journal_that_fails_is_red(health: Callable[..., Health]) -> None:
    found = health(Journal(JournalError("the disk is full")))
    assert red(asyncio.run(found.checks())) == {"journal": "the disk is full"}


def test_a_plugin_that_is_off_is_red(health: Callable[..., Health]) -> None:
    found = health(config_class=lambda: 3, health=lambda ctx: [])
    assert red(asyncio.run(found.checks())) == {"plugin mine": "ducttape_config_class must return an attrs class"}


def test_the_checks_of_a_plugin_are_added(health: Callable[..., Health]) -> None:
    found = health(health=lambda ctx: (Check(name="listener", healthy=False, detail=ctx.name) for _ in "x"))
    assert red(asyncio.run(found.checks())) == {"listener": "mine"}
    assert red(asyncio.run(health(health=lambda ctx: None).checks())) == {}


def raises(ctx: object) -> NoReturn:
    raise ValueError("broken")


def exits(ctx: object) -> NoReturn:
    raise SystemExit(1)


def stops(ctx: object) -> Any:
    return next(iter([]))


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (raises, "ValueError: broken"),
        (exits, "SystemExit: 1"),
        (stops, "StopIteration"),
        (lambda ctx: ["red"], "ducttape_health must return Checks"),
        (lambda ctx: [Check(name="x", healthy="no")], "ducttape_health must return Checks"),  # type: ignore[arg-type]
        (lambda ctx: [Check(name="x", healthy=True, detail=b"")], "ducttape_health must return Checks"),  # type: ignore[arg-type]
        (lambda ctx: Check(name="x", healthy=True), "TypeError: 'Check' object is not iterable"),
    ],
)
def test_a_check_that_fails_is_red(health: Callable[..., Health], function: Callable[[object], Any], text: str) -> None:
    assert red(asyncio.run(health(health=lambda ctx: function(ctx)).checks())) == {"plugin mine": text}


def test_however_often_it_is_asked_the_checks_run_once_a_second(
    health: Callable[..., Health], monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal()
    found = health(journal)
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)

    async def main() -> None:
        nonlocal now
        await asyncio.gather(*(found.ready() for _ in range(50)))
        assert journal.asked == 1
        now += 1.5
        await asyncio.gather(*(found.ready() for _ in range(50)))
        assert journal.asked == 2

    asyncio.run(main())


def test_a_check_that_hangs_costs_one_thread(health: Callable[..., Health], monkeypatch: pytest.MonkeyPatch) -> None:
    stop, done = threading.Event(), threading.Event()
    others = set(threading.enumerate())

    def hangs(ctx: object) -> list[Check]:
        stop.wait()
        done.set()
        return []

    monkeypatch.setattr(module, "SECONDS", 0.02)
    monkeypatch.setattr(module, "MAX_AGE", 0.0)
    found = health(health=hangs)
    assert red(asyncio.run(found.checks())) == {"plugin mine": "it did not end within 0.02 seconds"}
    before = threading.active_count()
    for _ in range(5):
        assert red(asyncio.run(found.checks())) == {"plugin mine": "its last check has not ended yet"}
    assert threading.active_count() == before
    stop.set()
    done.wait()
    for thread in set(threading.enumerate()) - others:
        thread.join()
    assert red(asyncio.run(found.checks())) == {}
