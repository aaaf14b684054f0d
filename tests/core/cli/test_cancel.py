"""``duct-tape cancel``: with a journal and a volume, and a thread in the listener's place."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from tests.listener_support import until
from tests.server_support import run

from duct_tape.api import RunState
from duct_tape.cli import ending
from duct_tape.cli.pause import user
from duct_tape.delivery import Runs
from duct_tape.flags import Flag
from duct_tape.journal.sqlite import SQLiteJournal
from duct_tape.results import Result, State

Cli = Callable[..., Any]
VOLUME = Path("shared_volume")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "RECORD_SECONDS", 0.0)
    monkeypatch.setattr("duct_tape.cli.cancel.SECONDS", 0.01)


@pytest.fixture
def begun(configure: Callable[..., Path]) -> Callable[[RunState], None]:
    """A volume, and a run ``run-1`` of ``app`` in a state."""
    configure()
    (VOLUME / ".results").mkdir(parents=True)

    def begun(state: RunState) -> None:
        async def fill() -> None:
            store = SQLiteJournal(Path("var/journal.sqlite3"))
            given = evolve(run(), application="app")
            await store.accept(given.event, Runs(runs=(), key="k"), [given])
            if state is not RunState.ACCEPTED:
                await store.finish("run-1", state, "")
            await store.close()

        asyncio.run(fill())

    return begun


@pytest.fixture
def answering() -> Iterator[Callable[[State], None]]:
    """Write a result, as a listener does, when the request is there."""
    threads: list[threading.Thread] = []

    def answering(state: State) -> None:
        def answer() -> None:
            until(lambda: (VOLUME / ".cancel/run-1").exists())
            told(state)

        threads.append(threading.Thread(target=answer))
        threads[-1].start()

    yield answering
    for thread in threads:
        thread.join()


def told(state: State, application: str = "app") -> None:
    line = Result(run="run-1", application=application, state=state, started_at="2026-01-01T00:00:00Z").to_line()
    (VOLUME / ".results/run-1.json").write_bytes(line)


def flagged(name: str = "app") -> None:
    (VOLUME / name).write_text(Flag(run="run-1", application="app").to_line())


def state() -> str:
    async def read() -> str:
        store = SQLiteJournal(Path("var/journal.sqlite3"), exclusive=False)
        try:
            (found,) = await store.recent(2)
            return str(found.state)
        finally:
            await store.close()

    return asyncio.run(read())


def requests() -> list[str]:
    return [path.name for path in VOLUME.glob(".cancel/*")]


def test_what_has_not_begun_is_cancelled_at_once_and_needs_no_volume(cli: Cli, begun: Callable[..., None]) -> None:
    begun(RunState.ACCEPTED)
    VOLUME.rename("elsewhere")
    ended = cli("cancel", "run-1")
    assert ended.code == 0
    assert ended.out == f"run run-1 is cancelled: cancelled by {user()} before it began\n"
    assert state() == "cancelled"


def test_a_flag_that_nobody_took_is_taken_back(cli: Cli, begun: Callable[..., None]) -> None:
    begun(RunState.FLAGGED)
    flagged("any name")
    ended = cli("cancel", "run-1", "--json")
    assert ended.code == 0
    assert json.loads(ended.out) == {
        "run": "run-1",
        "state": "cancelled",
        "cancelled": True,
        "detail": f"run run-1 is cancelled: cancelled by {user()} before a listener took its flag",
    }
    assert state() == "cancelled"
    assert [path.name for path in VOLUME.iterdir()] == [".results"]


@pytest.mark.parametrize("before", [RunState.FLAGGED, RunState.DEPLOYING, RunState.LOST])
def test_a_deploy_is_waited_for_until_its_end_is_told(
    cli: Cli, begun: Callable[..., None], answering: Callable[..., None], before: RunState
) -> None:
    begun(before)
    answering("cancelled")
    ended = cli("cancel", "run-1")
    assert (ended.code, ended.out) == (0, "run run-1 is cancelled: bin/deploy was cancelled\n")
    assert state() == "cancelled"
    assert requests() == []


def test_a_deploy_that_ended_before_keeps_its_end(
    cli: Cli, begun: Callable[..., None], answering: Callable[..., None]
) -> None:
    begun(RunState.DEPLOYING)
    answering("deployed")
    ended = cli("cancel", "run-1")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "run run-1 is deployed: it ended before the request came\n"
    assert requests() == []
    assert cli("cancel", "run-1").err == "run run-1 is deployed: there is nothing to cancel\n"


def test_to_cancel_twice_is_no_mistake(cli: Cli, begun: Callable[..., None]) -> None:
    begun(RunState.ACCEPTED)
    first = cli("cancel", "run-1")
    assert cli("cancel", "run-1") == first


def test_without_a_listener_the_request_stays(cli: Cli, begun: Callable[..., None]) -> None:
    begun(RunState.DEPLOYING)
    told("deploying")
    ended = cli("cancel", "run-1", "--wait", "0")
    assert ended.code == 1
    assert ended.err.startswith("no listener has answered within 0 seconds. The request to cancel run run-1 stays")
    assert requests() == ["run-1"]
    assert cli("cancel", "run-1", "--wait", "0.05").code == 1
    assert state() == "deploying"


def test_a_listener_that_lives_and_cannot_end_it_is_told_from_none(
    cli: Cli, begun: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(RunState.DEPLOYING)
    beats = iter([b"1", b"2"])
    monkeypatch.setattr("duct_tape.cli.cancel.Cancelling._beat", lambda _: next(beats))
    ended = cli("cancel", "run-1", "--wait", "0")
    assert ended.err == "the listener has not ended run run-1 within 0 seconds; it goes on trying\n"


def test_what_is_being_carried_out_is_told(
    cli: Cli, begun: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(*_: object) -> bool:
        return False

    begun(RunState.ACCEPTED)
    monkeypatch.setattr(SQLiteJournal, "cancel", busy)
    ended = cli("cancel", "run-1", "--wait", "0")
    assert (ended.code, ended.err) == (
        1,
        "run run-1 is being carried out, and could not be cancelled within 0 seconds: try again\n",
    )


def test_a_forged_end_is_no_end(cli: Cli, begun: Callable[..., None]) -> None:
    begun(RunState.DEPLOYING)
    told("cancelled", application="other")
    assert cli("cancel", "run-1", "--wait", "0.1").code == 1
    assert state() == "deploying"


def test_on_a_terminal_it_says_what_it_waits_for(
    cli: Cli, begun: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(RunState.DEPLOYING)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    ended = cli("cancel", "run-1", "--wait", "0")
    first = ended.err.splitlines()[0]
    assert first == "run run-1 is deploying; waiting up to 0 s for the end of its processes"


def test_without_a_volume_it_is_a_sentence(cli: Cli, begun: Callable[..., None]) -> None:
    begun(RunState.DEPLOYING)
    VOLUME.rename("elsewhere")
    ended = cli("cancel", "run-1")
    assert ended.code == 1
    assert ended.err.startswith(f"error: the shared volume {VOLUME.absolute()} does not exist: mount it, or set `path`")


@pytest.mark.parametrize("command", [("cancel",), ("runs", "follow")])
def test_an_unknown_run_is_a_sentence(cli: Cli, begun: Callable[..., None], command: tuple[str, ...]) -> None:
    begun(RunState.ACCEPTED)
    ended = cli(*command, "nope")
    assert (ended.code, ended.err) == (1, "error: there is no run 'nope'; `duct-tape runs list` shows them\n")
