"""The listener's contract, in both of its forms: flags come, and each is answered once."""

from __future__ import annotations

import os

from tests.listener_support import HOLD, Host, until

KEYS = [
    "run",
    "application",
    "tag",
    "state",
    "exit_code",
    "started_at",
    "finished_at",
    "duration",
    "output",
]


def test_touch_is_enough(host: Host) -> None:
    host.application("app1", 'echo "hello from $PWD"')
    host.start()
    (host.volume / "app1").touch()

    until(lambda: [result for result in host.results() if result["state"] == "deployed"])

    assert host.runs("app1") == ["none"]
    assert host.at_top() == []
    until(lambda: host.claims() == [])
    (result,) = host.results()
    assert list(result) == KEYS
    assert result["application"] == "app1"
    assert result["exit_code"] == 0
    assert result["output"] == f"hello from {host.applications / 'app1'}"
    log = host.volume / ".results" / f"{result['run']}.log"
    assert log.read_text() == f"hello from {host.applications / 'app1'}\n"


def test_a_file_that_is_written_in_place_deploys_once(host: Host) -> None:
    host.application("app1")
    host.start()
    (host.volume / "app1").write_text("v1\n")

    until(lambda: host.results() and host.results()[0]["state"] == "deployed")
    host.flag("app1", "last")
    host.state("run-last", "deployed")

    assert host.runs("app1") == ["none", "last"]


def test_a_file_that_is_renamed_into_place_deploys(host: Host) -> None:
    host.application("app1")
    host.start()
    host.flag("app1", "v1")

    result = host.state("run-v1", "deployed")

    assert host.runs("app1") == ["v1"]
    assert result["tag"] == "v1"
    assert result["duration"] >= 0


def test_flags_of_the_time_when_it_was_down_are_answered(host: Host) -> None:
    host.application("app1")
    host.application("app2")
    host.flag("app1", "v1")
    host.flag("app1", "v2")
    (host.volume / "app2").touch()
    os.utime(host.volume / "app2")  # What a second touch of a standing flag is.

    host.start()
    host.state("run-v2", "deployed")
    until(lambda: [result["state"] for result in host.results()] == ["deployed", "deployed"])

    assert host.runs("app1") == ["v2"]
    assert host.runs("app2") == ["none"]


def test_a_release_during_a_deploy_is_deployed_after_it(host: Host) -> None:
    app = host.application("app1", f"mkdir alone || exit 1; {HOLD}; rmdir alone")
    host.start()
    host.flag("app1", "v1")
    host.state("run-v1", "deploying")
    host.flag("app1", "v2")
    until(lambda: host.at_top() == [])
    (app / "go").touch()

    host.state("run-v1", "deployed")
    host.state("run-v2", "deployed")

    assert host.runs("app1") == ["v1", "v2"]


def test_of_those_that_wait_only_the_newest_is_deployed(host: Host) -> None:
    app = host.application("app1", HOLD)
    host.start()
    for tag in ("v1", "v2", "v3"):
        host.flag("app1", tag)
        until(lambda: host.at_top() == [])
        until(lambda: host.result("run-v1").get("state") == "deploying")

    superseded = host.state("run-v2", "superseded")
    (app / "go").touch()
    host.state("run-v3", "deployed")

    assert host.runs("app1") == ["v1", "v3"]
    assert superseded["exit_code"] is None
    assert superseded["started_at"] is None
    assert "newer" in superseded["output"]
    until(lambda: host.claims() == [])


def test_a_burst_loses_nothing_and_doubles_nothing(host: Host) -> None:
    names = [f"app{number}" for number in range(12)]
    for name in names:
        host.application(name)
    host.start("--concurrency", "3")
    for name in names:
        host.flag(name, "v1", run=name)

    for name in names:
        host.state(name, "deployed")

    assert {name: host.runs(name) for name in names} == {name: ["v1"] for name in names}


def test_the_first_deploys_of_all_find_their_folder_together(host: Host) -> None:
    names = [f"app{number}" for number in range(8)]
    for name in names:
        host.application(name)
        host.flag(name, "v1", run=name)

    assert host.once("--concurrency", "8")[0] == 0

    files = sorted(path.name for path in (host.volume / ".results").iterdir())
    assert files == sorted(f"{name}.{kind}" for name in names for kind in ("json", "log"))
    assert not list(host.volume.glob(".foreign-*"))
