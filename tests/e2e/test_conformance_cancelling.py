"""The listener's contract, in both of its forms: an operator takes back what is asked for, or ends what runs."""

from __future__ import annotations

import os
import signal
import time

import pytest
from tests.listener_support import HOLD, Host, Listener, runs, until

from duct_tape.flags import Flag

# The script itself ends at SIGTERM, what it started does not.
STUBBORN = """
sh -c 'trap "" TERM; echo $$ >>pids; while :; do sleep 0.05; done' &
sh -c 'echo $$ >>pids; exec sleep 1000' & echo $$ >>pids
echo begun; wait
"""


def quiet(listener: Listener) -> bool:
    """Whether the log holds only sentences of ours."""
    return all(line.startswith(("answering ", "app1: ", "warning: ")) for line in listener.log().splitlines())


def test_a_running_deploy_ends_with_all_its_processes(host: Host) -> None:
    app = host.application("app1", STUBBORN)
    listener = host.start("--kill-after", "1")
    host.flag("app1", "v1")
    until(lambda: (app / "pids").exists() and len((app / "pids").read_text().split()) == 3)
    pids = [int(pid) for pid in (app / "pids").read_text().split()]
    host.cancel("run-v1")

    result = host.state("run-v1", "cancelled")

    assert not any(runs(pid) for pid in pids)
    assert (result["exit_code"], result["output"]) == (None, "begun")
    assert result["started_at"] < result["finished_at"]
    assert result["duration"] > 1
    until(lambda: host.claims() == [] and host.requests() == [])
    assert quiet(listener), listener.log()
    host.flag("app1", "v2")
    host.state("run-v2", "deploying")


@pytest.mark.parametrize("code", [0, 3])
def test_a_script_that_cleans_up_and_ends_by_itself_is_cancelled_all_the_same(host: Host, code: int) -> None:
    host.application("app1", f"trap 'echo cleaned; exit {code}' TERM; echo begun; sleep 1000 & wait")
    host.start()
    host.flag("app1", "v1")
    host.state("run-v1", "deploying")
    until(lambda: "begun" in (host.volume / ".results" / "run-v1.log").read_text())
    host.cancel("run-v1")

    result = host.state("run-v1", "cancelled")
    assert (result["exit_code"], result["output"]) == (None, "begun\ncleaned")


def test_one_that_waits_has_no_turn(host: Host) -> None:
    app = host.application("app1", HOLD)
    host.start()
    host.flag("app1", "v1")
    host.state("run-v1", "deploying")
    host.flag("app1", "v2")
    until(lambda: host.at_top() == [])
    host.cancel("run-v2")

    result = host.state("run-v2", "cancelled")

    assert (result["started_at"], result["exit_code"]) == (None, None)
    assert result["output"] == "it was cancelled before its turn"
    assert host.result("run-v1")["state"] == "deploying"
    until(lambda: host.requests() == [])
    (app / "go").touch()
    host.state("run-v1", "deployed")
    until(lambda: host.claims() == [])
    assert host.runs("app1") == ["v1"]


def test_one_that_waits_for_a_place_among_the_others_has_no_turn(host: Host) -> None:
    first = host.application("first", HOLD)
    host.application("second")
    host.start("--concurrency", "1")
    host.flag("first", "v1")
    host.state("run-v1", "deploying")
    host.flag("second", "v2")
    until(lambda: host.at_top() == [])
    host.cancel("run-v2")

    host.state("run-v2", "cancelled")
    assert host.runs("second") == []
    (first / "go").touch()


def test_a_cancelled_flag_does_not_overtake_one_that_waits(host: Host) -> None:
    app = host.application("app1", HOLD)
    host.start()
    host.flag("app1", "v1")
    host.state("run-v1", "deploying")
    host.flag("app1", "v2")
    until(lambda: host.at_top() == [])
    host.cancel("run-v3")
    host.flag("app1", "v3")

    host.state("run-v3", "cancelled")
    (app / "go").touch()
    host.state("run-v2", "deployed")
    assert host.runs("app1") == ["v1", "v2"]


def test_a_request_may_come_before_its_flag(host: Host) -> None:
    host.application("app1")
    host.cancel("run-v1")
    host.start()
    host.flag("app1", "other")
    host.state("run-other", "deployed")
    assert host.requests() == ["run-v1"]
    host.flag("app1", "v1")

    assert host.state("run-v1", "cancelled")["started_at"] is None
    assert host.runs("app1") == ["other"]
    until(lambda: host.requests() == [])


def test_once_is_no_failure(host: Host) -> None:
    host.application("app1")
    host.flag("app1", "v1")
    host.cancel("run-v1")

    code, log = host.once()

    assert code == 0
    assert host.result("run-v1")["state"] == "cancelled"
    assert "app1: cancelled v1 (run run-v1)" in log


@pytest.mark.parametrize("options", [[], ["--once"]])
def test_requests_are_served_while_the_listener_waits_for_an_end(host: Host, options: list[str]) -> None:
    host.application("app1", HOLD)
    host.flag("app1", "v1")
    listener = host.launch(*options)
    host.state("run-v1", "deploying")
    if not options:
        listener.process.send_signal(signal.SIGTERM)
        until(lambda: "stopping" in listener.log())
    host.cancel("run-v1")

    host.state("run-v1", "cancelled")
    assert listener.process.wait(10) == 0


def test_what_a_crash_interrupted_is_not_repeated(host: Host) -> None:
    host.application("app1", HOLD)
    listener = host.start()
    host.flag("app1", "v1")
    started = host.state("run-v1", "deploying")["started_at"]
    listener.process.send_signal(signal.SIGTERM)
    until(lambda: "stopping" in listener.log())
    listener.process.send_signal(signal.SIGTERM)
    listener.process.wait(20)
    assert len(host.claims()) == 1
    host.cancel("run-v1")

    host.start()

    result = host.state("run-v1", "cancelled")
    assert result["output"] == "it was interrupted, and cancelled before it could be repeated"
    assert result["started_at"] == started
    until(lambda: host.claims() == [] and host.requests() == [])
    assert host.runs("app1") == ["v1"]


def test_what_a_killed_listener_left_running_is_ended(host: Host) -> None:
    app = host.application("app1", f"echo $$ >pid; {HOLD}")
    listener = host.start()
    host.flag("app1", "v1")
    host.state("run-v1", "deploying")
    pid = int(until(lambda: (app / "pid").exists() and (app / "pid").read_text()))
    listener.process.kill()
    listener.process.wait()
    host.cancel("run-v1")

    host.start()

    host.state("run-v1", "cancelled")
    assert not runs(pid)
    until(lambda: host.claims() == [])
    assert host.runs("app1") == ["v1"]


def test_requests_that_come_too_late_are_removed(host: Host) -> None:
    host.application("app1")
    host.flag("app1", "v1")
    assert host.once()[0] == 0
    for run in ("run-v1", "run-future", "run-forgotten"):
        host.cancel(run)
    long_ago = time.time() - 25 * 3600
    os.utime(host.volume / ".cancel" / "run-forgotten", (long_ago, long_ago))

    assert host.once()[0] == 0

    assert host.result("run-v1")["state"] == "deployed"
    assert host.requests() == ["run-future"]


def test_a_flag_without_a_run_can_be_cancelled_by_the_name_that_it_is_given(host: Host) -> None:
    host.application("app1", HOLD)
    host.start()
    (host.volume / "app1").touch()
    run = str(until(lambda: host.results() and host.results()[0]["run"]))
    host.cancel(run)

    host.state(run, "cancelled")


def test_the_request_of_one_run_is_no_other_runs(host: Host) -> None:
    app = host.application("app1", HOLD)
    host.start()
    host.flag("app1", content=Flag(run="run-1", application="app1").to_line().encode())
    host.state("run-1", "deploying")
    for other in ("run-", "run-11", "app1"):
        host.cancel(other)
    host.flag("app1", "v2")
    until(lambda: host.at_top() == [])
    (app / "go").touch()

    host.state("run-v2", "deployed")
    assert host.result("run-1")["state"] == "deployed"
