"""Following: what the listener writes changes the runs that are up to it, and no others."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.follow_support import flag, states, write
from tests.server_support import run

from duct_tape.api import RunState
from duct_tape.conf.model import VolumeConf
from duct_tape.errors import JournalError
from duct_tape.flags import Flag
from duct_tape.follow import Follower, lasting, sentence
from duct_tape.journal.sqlite import SQLiteJournal
from duct_tape.observers import Observers
from duct_tape.plugins.registry import Registry
from duct_tape.results import Result, State
from duct_tape.volume import Volume


def test_a_deploy_is_followed_to_its_end(follow: Callable[..., None], tmp_path: Path) -> None:
    async def scene(follower: Follower, journal: SQLiteJournal) -> None:
        await follower.look()
        assert await states(journal) == {"run-1": "flagged"}
        write(tmp_path, "deploying")
        await follower.look()
        await follower.look()
        assert await states(journal) == {"run-1": "deploying"}
        write(tmp_path, "failed", exit_code=3, duration=1.25, output="one\nno such host\n")
        await follower.look()
        (found,) = await journal.recent(1)
        assert (found.state, found.detail) == (
            RunState.FAILED,
            "bin/deploy failed with exit code 3 after 1.2 s: no such host",
        )
        assert found.result is not None
        assert found.result.output == "one\nno such host\n"
        assert await journal.with_listener() == []

    follow(scene)


@pytest.mark.parametrize("state", ["deployed", "timed out", "refused", "superseded", "cancelled"])
def test_every_end_is_recorded(follow: Callable[..., None], tmp_path: Path, state: State) -> None:
    async def scene(follower: Follower, journal: SQLiteJournal) -> None:
        write(tmp_path, state)
        await follower.look()
        assert await states(journal) == {"run-1": state}

    follow(scene)


def test_after_a_restart_it_goes_on(follow: Callable[..., None], tmp_path: Path) -> None:
    async def scene(_: Follower, journal: SQLiteJournal) -> None:
        conf = VolumeConf(path=tmp_path / "volume")
        again = Follower(Volume(conf.path), journal, Observers(Registry()), conf)
        await again.recover()
        write(tmp_path, "deployed")
        await again.look()
        assert await states(journal) == {"run-1": "deployed"}

    follow(scene)


def test_a_forged_result_changes_nothing(follow: Callable[..., None], tmp_path: Path) -> None:
    async def scene(follower: Follower, journal: SQLiteJournal) -> None:
        await flag(journal, run(2, application="other"))
        await journal.report("run-2", RunState.DEPLOYED, "", None)
        write(tmp_path, "deployed", application="other")  # another application's
        write(tmp_path, "deployed", "run-2", application="other")  # of a finished run
        write(tmp_path, "deployed", "run-9")  # of none
        await follower.look()
        (tmp_path / "volume/.results/run-1.json").write_bytes(b'{"run": "run-1"')
        await follower.look()
        assert await states(journal) == {"run-1": "flagged", "run-2": "deployed"}
        assert not await journal.report("run-2", RunState.DEPLOYED, "", None)

    follow(scene)


def test_links_fifos_and_folders_in_its_place_are_not_read(follow: Callable[..., None], tmp_path: Path) -> None:
    async def scene(follower: Follower, journal: SQLiteJournal) -> None:
        results = tmp_path / "volume/.results"
        write(tmp_path, "deployed", "real")
        (results / "run-1.json").symlink_to(results / "real.json")
        await follower.look()
        (results / "run-1.json").unlink()
        os.mkfifo(results / "run-1.json")
        await follower.look()
        (results / "run-1.json").unlink()
        (results / "run-1.json").mkdir()
        await follower.look()
        (results / "run-1.json").rmdir()
        results.rename(tmp_path / "elsewhere")
        results.symlink_to(tmp_path / "elsewhere")
        write(tmp_path, "deployed")
        await follower.look()
        assert await states(journal) == {"run-1": "flagged"}

    follow(scene)


def test_a_flag_that_nobody_takes_is_told_once_and_is_red(
    follow: Callable[..., None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene(follower: Follower, journal: SQLiteJournal) -> None:
        assert follower.checks()[0].healthy
        await follower.look()
        await follower.look()
        flags, heartbeat = follower.checks()
        assert (flags.healthy, flags.detail) == (False, "no listener takes the flags of app")
        assert (heartbeat.healthy, heartbeat.detail) == (False, "the listener has given no sign of life for 0 seconds")
        write(tmp_path, "deployed")
        await follower.look()
        assert all(check.healthy for check in follower.checks())

    (tmp_path / "volume/any name").write_text(Flag(run="run-1", application="app").to_line())
    follow(scene, listener_timeout=1e-9)
    assert [message for message in caplog.messages if "no listener" in message] == [
        "no listener has taken the flag of app for 0 seconds (run run-1): is `duct-tape listen` running?"
    ]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 seconds"), (119, "119 seconds"), (120, "2 minutes"), (7200, "120 minutes")]
)
def test_a_short_time_is_told_in_seconds(seconds: float, text: str) -> None:
    assert lasting(seconds) == text


def test_a_flag_that_is_gone_is_told_in_other_words(
    follow: Callable[..., None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene(follower: Follower, journal: SQLiteJournal) -> None:
        await follower.look()
        await follower.look()
        assert await states(journal) == {"run-1": "flagged"}

    follow(scene, listener_timeout=1e-9)
    (message,) = caplog.messages
    assert message.startswith("the flag of app is not in the volume any more, and for 0 seconds no listener has said")


def test_what_a_command_ended_beside_the_server_is_let_go(
    follow: Callable[..., None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene(follower: Follower, journal: SQLiteJournal) -> None:
        for number in range(2, 15):
            follower.flagged(await flag(journal, run(number)))
        await journal.report("run-14", RunState.CANCELLED, "an operator stopped it", None)
        await follower.look()
        await follower.look()
        write(tmp_path, "deployed", "run-14")
        await follower.look()
        assert (await states(journal))["run-14"] == "cancelled"

    caplog.set_level("INFO", "duct_tape.follow")
    follow(scene)
    assert caplog.messages == ["cancelled: run run-14 for app: an operator stopped it"]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        (
            {"started_at": "2026-01-01T00:00:00Z", "duration": 2.04, "output": "one\ntwo\n"},
            "was cancelled after 2.0 s: two",
        ),
        ({"output": "it was cancelled before its turn"}, "was not started: it was cancelled before its turn"),
    ],
)
def test_a_cancelled_deploy_in_words(members: dict[str, Any], expected: str) -> None:
    assert sentence(Result(run="r", application="app", state="cancelled", **members)) == f"bin/deploy {expected}"


def test_a_flag_that_was_taken_while_it_was_replaced_is_heard(follow: Callable[..., None], tmp_path: Path) -> None:
    async def scene(follower: Follower, journal: SQLiteJournal) -> None:
        second = await flag(journal, run(2))
        await journal.finish("run-2", RunState.FLAGGED, "left", ["run-1"])
        follower.flagged(second, ["run-1", "unknown"])
        assert await states(journal) == {"run-2": "flagged", "run-1": "superseded"}
        write(tmp_path, "deployed")
        await follower.look()
        assert await states(journal) == {"run-2": "flagged", "run-1": "deployed"}

    follow(scene)


def test_a_replaced_flag_is_given_up_after_a_while(
    follow: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("duct_tape.follow.GRACE", 0.0)

    async def scene(follower: Follower, journal: SQLiteJournal) -> None:
        await journal.report("run-1", RunState.SUPERSEDED, "", None)
        follower.flagged(run(2, state=RunState.DONE), ["run-1"])
        await follower.look()
        write(tmp_path, "deployed")
        await follower.look()
        assert await states(journal) == {"run-1": "superseded"}

    follow(scene)


@pytest.mark.parametrize("restart", [False, True])
def test_a_run_whose_result_is_gone_made_way_for_a_newer_one(
    follow: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, restart: bool
) -> None:
    monkeypatch.setattr("duct_tape.follow.GRACE", 0.0)

    async def scene(follower: Follower, journal: SQLiteJournal) -> None:
        follower.flagged(await flag(journal, run(2)))
        write(tmp_path, "deployed", "run-2")
        await follower.look()
        if restart:
            conf = VolumeConf(path=tmp_path / "volume")
            follower = Follower(Volume(conf.path), journal, Observers(Registry()), conf)
            await follower.recover()
        await follower.look()
        assert await states(journal) == {"run-2": "deployed", "run-1": "superseded"}
        old = await journal.find("run-1")
        assert old is not None
        assert old.detail == "run run-2 was deployed since, and no result of this one is left"

    follow(scene)


def test_it_works_on_while_the_journal_or_the_volume_fails(
    follow: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene(follower: Follower, journal: SQLiteJournal) -> None:
        report, failed, recorded = journal.report, asyncio.Event(), asyncio.Event()

        async def once(*given: Any) -> bool:
            if not failed.is_set():
                failed.set()
                raise JournalError("the disk is full")
            changed = await report(*given)
            recorded.set()
            return changed

        monkeypatch.setattr(journal, "report", once)
        write(tmp_path, "deployed")
        working = asyncio.create_task(follower.work())
        async with asyncio.timeout(10):
            await recorded.wait()
        working.cancel()
        assert await states(journal) == {"run-1": "deployed"}

    follow(scene)
    assert "results cannot be followed at the moment: the disk is full" in caplog.messages


def test_whatever_a_look_comes_to_the_next_one_follows(
    follow: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene(follower: Follower, journal: SQLiteJournal) -> None:
        failures, original, recorded = [OverflowError("huge")], follower.look, asyncio.Event()

        async def look() -> None:
            if failures:
                raise failures.pop()
            await original()
            recorded.set()

        monkeypatch.setattr(follower, "look", look)
        write(tmp_path, "deployed")
        working = asyncio.create_task(follower.work())
        async with asyncio.timeout(10):
            await recorded.wait()
        working.cancel()
        assert await states(journal) == {"run-1": "deployed"}

    follow(scene)
    assert "results cannot be followed at the moment" in caplog.messages
