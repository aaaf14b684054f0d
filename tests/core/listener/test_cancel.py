from __future__ import annotations

import itertools
import os
import time
from contextlib import closing
from pathlib import Path

import pytest
from tests.listener_support import Host

from duct_tape.listener import cancel
from duct_tape.listener.spool import Spool
from duct_tape.listener.sweep import Sweep
from duct_tape.volume import Volume


@pytest.fixture
def folder(host: Host) -> Path:
    """The folder of requests, with one for ``run-1``."""
    Volume(host.volume).request_cancel("run-1")
    return host.volume / ".cancel"


def never(_: str) -> bool:
    return False


def test_only_runs_that_are_asked_for_are_looked_up(spool: Spool, folder: Path) -> None:
    assert cancel.requested(spool, ["run-1", "run-2"]) == {"run-1"}
    assert cancel.requested(spool, []) == set()


def test_what_is_no_regular_file_is_no_request(spool: Spool, folder: Path) -> None:
    (folder / "link").symlink_to("run-1")
    os.mkfifo(folder / "pipe")
    (folder / "folder").mkdir()
    assert cancel.requested(spool, ["link", "pipe", "folder", "a" * 300]) == set()


def test_a_request_is_forgotten_once(spool: Spool, folder: Path) -> None:
    (folder / "folder").mkdir()
    for _ in range(2):
        cancel.forget(spool, "run-1")
        cancel.forget(spool, "folder")
    assert os.listdir(folder) == ["folder"]


def test_it_is_made_where_it_is_missing(host: Host, spool: Spool, sweep: Sweep) -> None:
    cancel.tidy(spool, sweep, (), never)
    assert (host.volume / ".cancel").stat().st_mode & 0o7777 == 0o2770


def test_tidying_keeps_what_may_be_served(spool: Spool, sweep: Sweep, folder: Path) -> None:
    long_ago = time.time() - 2 * cancel.KEEP_SECONDS
    for name in ("old", "old-active", "ended", "ended-active", "a\nb", ".hidden"):
        (folder / name).touch()
    for name in ("old", "old-active"):
        os.utime(folder / name, (long_ago, long_ago))
    (folder / "link").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe")
    (folder / "empty").mkdir()
    (folder / "full" / "dear").mkdir(parents=True)

    cancel.tidy(spool, sweep, {"old-active", "ended-active"}, lambda run: run.startswith("ended"))

    assert sorted(os.listdir(folder)) == ["ended-active", "full", "old-active", "run-1"]


def test_tidying_takes_its_time_and_gets_past_what_stays(spool: Spool, folder: Path) -> None:
    for number in range(24):
        (folder / f"a\n{number}").touch()
        (folder / f"full{number}" / "dear").mkdir(parents=True)
    left = [49]
    with closing(Sweep(10)) as sweep:
        for _ in range(5):
            cancel.tidy(spool, sweep, (), never)
            left.append(len(os.listdir(folder)))
    assert all(before - after <= 10 for before, after in itertools.pairwise(left))
    assert left[-1] == 25
