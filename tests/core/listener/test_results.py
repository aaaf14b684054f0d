from __future__ import annotations

import json
import os
import time
from contextlib import closing

import pytest
from tests.listener_support import Host

from duct_tape.flags import Flag
from duct_tape.listener import results
from duct_tape.listener.spool import Spool
from duct_tape.listener.sweep import Sweep
from duct_tape.results import Result, moment

FLAG = Flag(run="r1", application="app", tag="v1")


def test_a_result_is_one_line_of_json(host: Host, spool: Spool) -> None:
    results.put(spool, Result.of(FLAG, "deploying", started_at=moment(0)))
    assert host.result("r1")["state"] == "deploying"
    results.put(spool, Result.of(FLAG, "failed", exit_code=3, output='"\n\ud800'))

    content = (host.volume / ".results" / "r1.json").read_bytes()

    assert content.count(b"\n") == 1
    assert content.isascii()
    assert json.loads(content) == {
        "run": "r1",
        "application": "app",
        "tag": "v1",
        "state": "failed",
        "exit_code": 3,
        "started_at": None,
        "finished_at": None,
        "duration": None,
        "output": '"\n\ud800',
    }


def test_what_never_started_has_an_end_and_a_reason() -> None:
    result = Result.unstarted(FLAG, "superseded", "a newer one")

    assert result.started_at is None
    assert result.finished_at is not None
    assert result.output == "a newer one"


def test_times_are_utc() -> None:
    assert moment(0) == "1970-01-01T00:00:00.000Z"
    assert moment(1.5) == "1970-01-01T00:00:01.500Z"


def test_a_log_begins_empty_and_follows_no_link(host: Host, spool: Spool) -> None:
    (host.volume / ".results").mkdir()
    (host.root / "dear").write_text("dear")
    (host.volume / ".results" / "r1.log").symlink_to(host.root / "dear")

    os.close(results.open_log(spool, "r1"))
    os.close(results.open_log(spool, "r1"))

    assert (host.root / "dear").read_text() == "dear"
    assert (host.volume / ".results" / "r1.log").read_text() == ""


def test_old_results_are_deleted_by_number_and_age(host: Host, spool: Spool, sweep: Sweep) -> None:
    folder = host.volume / ".results"
    folder.mkdir()
    now = time.time()
    for number in range(6):
        for kind in ("json", "log"):
            file = folder / f"r{number}.{kind}"
            file.touch()
            os.utime(file, (now - number * 100, now - number * 100))
    (folder / ".tmp-left-over").touch()
    os.utime(folder / ".tmp-left-over", (0, 0))
    (folder / "folder").mkdir()
    os.utime(folder / "folder", (0, 0))

    results.prune(spool, sweep, active={"r5"}, keep=4, age=250, unread=0)

    assert sorted(os.listdir(folder)) == sorted(
        ["folder", *(f"r{number}.{kind}" for number in (0, 1, 2, 5) for kind in ("json", "log"))]
    )


def test_what_the_server_may_not_have_read_yet_is_kept(
    host: Host, spool: Spool, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = host.volume / ".results"
    folder.mkdir()
    now = time.time()
    for number in range(8):
        (folder / f"r{number}.json").touch()
        os.utime(folder / f"r{number}.json", (now - number * 100, now - number * 100))
    results.prune(spool, sweep, keep=1, unread=450)
    assert sorted(os.listdir(folder)) == [f"r{number}.json" for number in range(5)]
    monkeypatch.setattr(results, "MOST_RUNS", 3)
    results.prune(spool, sweep, keep=1, unread=450)
    assert sorted(os.listdir(folder)) == [f"r{number}.json" for number in range(3)]


def test_a_folder_full_of_a_strangers_files_is_pruned_in_portions(host: Host, spool: Spool) -> None:
    folder = host.volume / ".results"
    folder.mkdir()
    for number in range(60):
        (folder / f"junk{number}").touch()
    left = [60]
    with closing(Sweep(20)) as sweep:
        for _ in range(8):
            results.prune(spool, sweep, keep=2, unread=0)
            left.append(len(os.listdir(folder)))
    assert left[1] == 42
    assert left[-1] == 2
