"""``duct-tape runs follow``: a log as it grows, and the end of its run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from tests.server_support import run

from duct_tape.api import RunState
from duct_tape.cli import ending
from duct_tape.cli import follow as module
from duct_tape.cli.follow import Log, followed
from duct_tape.delivery import Runs
from duct_tape.flags import Flag
from duct_tape.journal.sqlite import SQLiteJournal
from duct_tape.results import Result, State
from duct_tape.volume import Volume

Cli = Callable[..., Any]
Fill = Callable[..., None]
VOLUME = Path("shared_volume")
FLAG = Flag(run="run-1", application="app")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "RECORD_SECONDS", 0.0)
    monkeypatch.setattr(module, "SECONDS", 0.01)


@pytest.fixture
def fill(configure: Callable[..., Path]) -> Fill:
    """A volume, and a run ``run-1`` of ``app`` in a state, perhaps with a result."""
    configure()
    (VOLUME / ".results").mkdir(parents=True)

    def fill(state: RunState, result: Result | None = None, log: bytes | None = None) -> None:
        async def main() -> None:
            store = SQLiteJournal(Path("var/journal.sqlite3"))
            given = evolve(run(), application="app")
            await store.accept(given.event, Runs(runs=(), key="k"), [given])
            if state is not RunState.ACCEPTED:
                await store.finish("run-1", RunState.FLAGGED, "")
                await store.report("run-1", state, "how it\x1bended", result)
            await store.close()

        asyncio.run(main())
        if log is not None:
            (VOLUME / ".results/run-1.log").write_bytes(log)

    return fill


def told(state: State, started: str = "2026-01-01T00:00:00Z", **members: Any) -> Result:
    result = Result.of(FLAG, state, started_at=started, **members)
    (VOLUME / ".results/run-1.json").write_bytes(result.to_line())
    return result


def test_an_ended_run_shows_its_log_and_its_end(cli: Cli, fill: Fill) -> None:
    fill(RunState.DEPLOYED, log=b"one\n\ttwo \x1b[31mred\rx\xff\n\nthree")
    ended = cli("runs", "follow", "run-1")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (
        "one\n\ttwo \\x1b[31mred\\rx\N{REPLACEMENT CHARACTER}\n\nthree\nrun run-1: deployed: how it\\x1bended\n"
    )


def test_as_json_there_is_one_object_per_line(cli: Cli, fill: Fill) -> None:
    fill(RunState.FAILED, log=b"a\tb\x1b\n")
    ended = cli("runs", "follow", "run-1", "--json")
    assert ended.code == 1
    assert [json.loads(line) for line in ended.out.splitlines()] == [
        {"line": "a\tb\x1b"},
        {"run": "run-1", "state": "failed", "detail": "how it\x1bended"},
    ]


def test_without_its_log_there_are_the_last_lines_that_the_journal_keeps(cli: Cli, fill: Fill) -> None:
    fill(RunState.FAILED, Result.of(FLAG, "failed", started_at="2026-01-01T00:00:00Z", output="one\ntwo"))
    ended = cli("runs", "follow", "run-1")
    assert ended.out == "one\ntwo\nrun run-1: failed: how it\\x1bended\n"


def test_what_never_began_has_no_lines(cli: Cli, fill: Fill) -> None:
    fill(RunState.REFUSED, Result.unstarted(FLAG, "refused", "no such application"))
    assert cli("runs", "follow", "run-1").out == "run run-1: refused: how it\\x1bended\n"


def test_an_end_that_no_server_records_counts(cli: Cli, fill: Fill) -> None:
    fill(RunState.DEPLOYING, log=b"one\n")
    told("deployed", duration=2.0)
    ended = cli("runs", "follow", "run-1")
    assert (ended.code, ended.out) == (0, "one\nrun run-1: deployed: bin/deploy succeeded after 2.0 s\n")


def test_without_the_volume_the_journal_is_enough(cli: Cli, fill: Fill) -> None:
    fill(RunState.DEPLOYED)
    VOLUME.rename("elsewhere")
    assert cli("runs", "follow", "run-1").code == 0


def test_lines_come_while_the_deploy_runs(fill: Fill) -> None:
    fill(RunState.FLAGGED)
    seen: list[str] = []
    notes: list[str] = []
    more = {"one": b"two\nthr", "two": b"ee\n"}

    def show(line: str) -> None:
        seen.append(line)
        if line in more:
            with (VOLUME / ".results/run-1.log").open("ab") as log:
                log.write(more[line])
        else:
            told("deployed")

    def note(text: str) -> None:
        notes.append(text)
        (VOLUME / ".results/run-1.log").write_bytes(b"one\n")
        told("deploying")

    volume = Volume(VOLUME.absolute())

    async def main() -> str:
        journal = SQLiteJournal(Path("var/journal.sqlite3"))
        try:
            async with asyncio.timeout(20):
                return (await followed(journal, volume, "run-1", show, note)).state
        finally:
            await journal.close()

    assert asyncio.run(main()) == "deployed"
    assert seen == ["one", "two", "three"]
    assert notes == ["run run-1 is flagged; waiting for its deploy"]


def test_a_deploy_that_begins_again_has_a_new_log(fill: Fill) -> None:
    fill(RunState.DEPLOYING, log=b"first\nhalf")
    seen: list[str] = []
    log = Log(Volume(VOLUME.absolute()), "run-1", seen.append)
    log.read(told("deploying"))
    (VOLUME / ".results/run-1.log").write_bytes(b"again\n")
    log.read(told("deploying", "2026-01-01T01:00:00Z"))
    log.finish(None)
    assert seen == ["first", "again"]


def test_a_line_without_an_end_comes_in_pieces(fill: Fill) -> None:
    fill(RunState.DEPLOYING, log=b"x" * 300_000)
    seen: list[str] = []
    log = Log(Volume(VOLUME.absolute()), "run-1", seen.append)
    log.read(None)
    log.finish(None)
    assert "".join(seen) == "x" * 300_000


@given(st.lists(st.binary(max_size=30), max_size=6))
def test_lines_do_not_depend_on_the_parts_in_which_they_come(parts: list[bytes]) -> None:
    class Growing:
        content = b""

        def read_log(self, run: str, offset: int) -> bytes:
            return self.content[offset:]

    growing, seen = Growing(), list[str]()
    log = Log(growing, "run", seen.append)  # type: ignore[arg-type]
    for part in parts:
        growing.content += part
        log.read(None)
    log.finish(None)
    whole = b"".join(parts).decode("utf-8", "replace").split("\n")
    assert seen == (whole if whole[-1] else whole[:-1])


def test_an_interruption_is_silent(cli: Cli, fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(RunState.FLAGGED)

    async def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("duct_tape.cli.follow.asyncio.sleep", interrupted)
    ended = cli("runs", "follow", "run-1")
    assert (ended.code, ended.out) == (130, "")


def test_a_pause_is_told_to_who_waits_for_the_deploy(cli: Cli, fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    async def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    fill(RunState.ACCEPTED)
    cli("pause", "app", "--who", "ada", "--reason", "the\x1bmove")
    monkeypatch.setattr("duct_tape.cli.follow.asyncio.sleep", interrupted)
    ended = cli("runs", "follow", "run-1")
    assert ended.err == "run run-1 is accepted (app is paused by ada: the\\x1bmove); waiting for its deploy\n\n"
