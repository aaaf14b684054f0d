"""The listener's contract, in both of its forms: crashes, signals, and a volume that is made anew."""

from __future__ import annotations

import shutil
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.listener_support import HOLD, Host, until

from duct_tape.flags import Flag


def test_a_volume_that_is_made_anew_is_answered_again(host: Host) -> None:
    host.application("app1")
    listener = host.start()
    host.flag("app1", "v1")
    host.state("run-v1", "deployed")

    until(lambda: _gone(host.volume))
    until(lambda: "waiting for that to change" in listener.log())
    host.make_volume()
    until(lambda: (host.volume / ".listener.json").exists())
    host.flag("app1", "v2")

    host.state("run-v2", "deployed")
    assert host.runs("app1") == ["v1", "v2"]
    assert listener.log().count("waiting for that to change") == 1


def test_an_application_that_deploys_duct_tape_itself(host: Host) -> None:
    # What `docker compose down -v && docker compose up` does to the volume below our feet.
    # Removed again, if the listener has just written into it.
    anew = f"until rm -rf '{host.volume}'; do :; done; mkdir -m 2770 '{host.volume}'; echo made anew"
    host.application("duct-tape.example.com", anew)
    host.start()
    host.flag("duct-tape.example.com", "v1")

    assert host.state("run-v1", "deployed")["tag"] == "v1"
    host.flag("duct-tape.example.com", "v2")
    host.state("run-v2", "deployed")
    assert host.runs("duct-tape.example.com") == ["v1", "v2"]


def test_what_a_crash_interrupted_is_deployed_again(host: Host) -> None:
    app = host.application("app1", f"mkdir alone || echo not alone; {HOLD}; rmdir alone")
    listener = host.start()
    host.flag("app1", "v1")
    host.state("run-v1", "deploying")
    listener.process.kill()
    listener.process.wait()
    assert len(host.claims()) == 1

    (app / "go").touch()
    host.start()
    host.state("run-v1", "deployed")
    until(lambda: host.claims() == [])

    assert set(host.runs("app1")) == {"v1"}
    assert "not alone" not in (host.volume / ".results" / "run-v1.log").read_text() or host.form == "python"


def test_another_volume_is_not_hit_by_a_flag_that_names_its_run(host: Host, tmp_path: Path) -> None:
    app = host.application("app1", HOLD)
    host.start()
    host.flag("app1", "v1")
    host.state("run-v1", "deploying")
    (tmp_path / "other").mkdir()
    other = Host(tmp_path / "other", host.form)
    other.application("app1")
    _crashed(other, "00000000000000000001-00000002", "app1", "v1")

    assert other.once()[0] == 0
    (app / "go").touch()

    assert host.state("run-v1", "deployed")["exit_code"] == 0
    assert other.result("run-v1")["state"] == "deployed"


def test_what_a_crash_interrupted_gives_way_to_a_newer_flag(host: Host) -> None:
    host.application("app1")
    _crashed(host, "00000000000000000001-00000001", "app1", "v1")
    _crashed(host, "00000000000000000002-00000001", "app1", "v2")
    host.flag("app1", "v3")

    assert host.once()[0] == 0

    assert [host.result(f"run-{tag}")["state"] for tag in ("v1", "v2", "v3")] == [
        "superseded",
        "superseded",
        "deployed",
    ]
    assert host.runs("app1") == ["v3"]
    until(lambda: host.claims() == [])


def test_a_clock_that_was_set_back_makes_no_older_flag_the_newest(host: Host) -> None:
    host.application("app1")
    in_an_hour = time.time_ns() + 3600 * 10**9
    _crashed(host, f"{in_an_hour:020d}-00000001", "app1", "v1")
    host.flag("app1", "v2")

    assert host.once()[0] == 0

    assert [host.result(f"run-{tag}")["state"] for tag in ("v1", "v2")] == ["superseded", "deployed"]
    assert host.runs("app1") == ["v2"]


def test_what_had_started_and_gives_way_is_said_to_be_interrupted(host: Host) -> None:
    host.application("app1", HOLD)
    listener = host.start()
    host.flag("app1", "v1")
    started = host.state("run-v1", "deploying")["started_at"]
    # The shell's deploy outlives its listener; what a signal to all of them leaves behind is the same in both.
    listener.process.send_signal(signal.SIGTERM)
    until(lambda: "stopping" in listener.log())
    listener.process.send_signal(signal.SIGTERM)
    listener.process.wait(20)
    _crashed(host, "00000000000000000001-00000001", "app1", "v0")
    host.flag("app1", "v2")

    (host.applications / "app1" / "go").touch()
    assert host.once()[0] == 0

    interrupted, waited = host.result("run-v1"), host.result("run-v0")
    assert (interrupted["state"], interrupted["started_at"]) == ("superseded", started)
    assert interrupted["output"] == "it was interrupted, and a newer flag for app1 took its place"
    assert interrupted["finished_at"] > started
    assert (waited["state"], waited["started_at"]) == ("superseded", None)
    assert host.runs("app1") == ["v1", "v2"]


def test_times_are_in_utc(host: Host) -> None:
    host.application("app1")
    host.flag("app1", "v1")

    assert host.once(TZ="Asia/Tokyo")[0] == 0
    started = datetime.fromisoformat(host.result("run-v1")["started_at"])
    assert abs((datetime.now(UTC) - started).total_seconds()) < 60


def test_a_claim_without_a_run_keeps_its_id(host: Host) -> None:
    host.application("app1")
    _crashed(host, "00000000000000000001-0000000a", "app1", "")

    assert host.once()[0] == 0
    assert host.result("local-00000000000000000001-0000000a")["state"] == "deployed"


def test_the_first_signal_lets_deploys_end_and_claims_no_more(host: Host) -> None:
    app = host.application("app1", HOLD)
    listener = host.start()
    host.flag("app1", "v1")
    host.state("run-v1", "deploying")

    listener.process.send_signal(signal.SIGTERM)
    until(lambda: "stopping" in listener.log())
    host.flag("app1", "v2")
    (app / "go").touch()

    assert listener.process.wait(10) == 0
    assert host.result("run-v1")["state"] == "deployed"
    assert host.at_top() == ["app1"]
    assert host.runs("app1") == ["v1"]


def test_the_second_signal_ends_deploys_which_are_done_again_later(host: Host) -> None:
    app = host.application("app1", HOLD)
    listener = host.start()
    host.flag("app1", "v1")
    host.state("run-v1", "deploying")

    listener.process.send_signal(signal.SIGTERM)
    until(lambda: "stopping" in listener.log())
    listener.process.send_signal(signal.SIGTERM)
    assert listener.process.wait(10) == 0
    assert "interrupted" in listener.log()

    (app / "go").touch()
    assert host.once()[0] == 0
    assert host.result("run-v1")["state"] == "deployed"
    assert host.runs("app1") == ["v1", "v1"]


def test_deploys_that_outlast_the_grace_are_ended(host: Host) -> None:
    host.application("app1", HOLD)
    listener = host.start("--grace", "1")
    host.flag("app1", "v1")
    host.state("run-v1", "deploying")

    assert listener.stop() == 0
    assert len(host.claims()) == 1


def _gone(folder: Path) -> bool:
    """Remove a folder in which a listener may write meanwhile; whether that was all of it."""
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


def _crashed(host: Host, claim: str, application: str, tag: str) -> None:
    """What a listener that was killed has left of a claim."""
    running = host.volume / ".running"
    running.mkdir(mode=0o700, exist_ok=True)
    running.chmod(0o700)
    (running / claim).mkdir(mode=0o700)
    line = Flag(run=f"run-{tag}", application=application, tag=tag).to_line() if tag else ""
    (running / claim / application).write_text(line)
