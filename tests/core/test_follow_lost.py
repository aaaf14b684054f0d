"""Following a deploy whose listener stopped: it is given up, and taken up again when it turns up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.follow_support import states, write

from duct_tape.api import RunState
from duct_tape.conf.model import VolumeConf
from duct_tape.follow import Follower
from duct_tape.journal.sqlite import SQLiteJournal
from duct_tape.observers import Observers
from duct_tape.plugins.registry import Registry
from duct_tape.volume import Volume


@pytest.mark.parametrize("restart", [False, True])
def test_a_deploy_that_nobody_hears_of_again_is_lost_until_it_turns_up(
    follow: Callable[..., None], tmp_path: Path, restart: bool
) -> None:
    async def scene(follower: Follower, journal: SQLiteJournal) -> None:
        write(tmp_path, "deploying")
        await follower.look()
        await follower.look()
        assert await states(journal) == {"run-1": "lost"}
        if restart:
            conf = VolumeConf(path=tmp_path / "volume")
            follower = Follower(Volume(conf.path), journal, Observers(Registry()), conf)
            await follower.recover()
        await follower.look()  # The old result is still there, and says nothing new.
        assert await states(journal) == {"run-1": "lost"}
        write(tmp_path, "deployed")
        await follower.look()
        assert await states(journal) == {"run-1": "deployed"}
        write(tmp_path, "failed")
        await follower.look()
        assert await states(journal) == {"run-1": "deployed"}

    follow(scene, deploy_timeout=1e-9)


def test_a_deploy_whose_listener_stopped_is_lost_and_goes_on_when_it_is_deployed_again(
    follow: Callable[..., None], tmp_path: Path
) -> None:
    async def scene(follower: Follower, journal: SQLiteJournal) -> None:
        write(tmp_path, "deploying", started_at="2026-01-01T00:00:00Z")
        await follower.look()
        assert await states(journal) == {"run-1": "deploying"}
        for beat in range(3):  # As long as it changes, the listener lives.
            (tmp_path / "volume/.listener.json").write_text(f'{{"last_scan": {beat}}}')
            follower._heart.since -= 700
            await follower.look()
        assert await states(journal) == {"run-1": "deploying"}
        follower._heart.since -= 700
        assert not all(check.healthy for check in follower.checks())
        await follower.look()
        (lost,) = await journal.recent(1)
        assert lost.state is RunState.LOST
        assert lost.detail.startswith("the listener stopped during its deploy: no sign of life for 12 minutes. When it")
        write(tmp_path, "deploying", started_at="2026-01-01T01:00:00Z")
        (tmp_path / "volume/.listener.json").write_text('{"last_scan": 99}')
        await follower.look()
        assert await states(journal) == {"run-1": "deploying"}
        assert all(check.healthy for check in follower.checks())

    follow(scene)


def test_what_is_lost_for_a_day_is_given_up(
    follow: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene(follower: Follower, journal: SQLiteJournal) -> None:
        write(tmp_path, "deploying")
        await follower.look()
        await follower.look()
        monkeypatch.setattr("duct_tape.follow.LOST_SECONDS", 0.0)
        await follower.look()
        write(tmp_path, "deployed")
        await follower.look()
        assert await states(journal) == {"run-1": "lost"}

    follow(scene, deploy_timeout=1e-9)


def test_a_lost_run_stays_lost_without_a_result(follow: Callable[..., None]) -> None:
    async def scene(follower: Follower, journal: SQLiteJournal) -> None:
        await journal.report("run-1", RunState.LOST, "", None)
        assert not await journal.report("run-1", RunState.SUPERSEDED, "", None)
        assert [found.state for found in await journal.with_listener()] == [RunState.LOST]

    follow(scene)
