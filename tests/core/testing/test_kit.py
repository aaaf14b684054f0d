"""What the kit plays: a sender that signs, a host that deploys, and a clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.server_support import CONFIGURATION as RECORDED
from tests.server_support import Recorder, deliver, sender
from tests.toolbox_support import CONFIGURATION, SECRET, forge

from duct_tape.api import DuctTapeError, TransientError
from duct_tape.retry import Retry
from duct_tape.testing import FakeClock, Harness, Sample

Start = Callable[..., Harness]


@pytest.fixture
def start(ducttape: Start, monkeypatch: pytest.MonkeyPatch) -> Start:
    monkeypatch.setenv("FORGE_SECRET", SECRET)
    return lambda text="", **more: ducttape(CONFIGURATION + text, plugins={"forge": forge()}, **more)


def test_a_sample_is_signed_as_the_sender_signs(start: Start) -> None:
    harness = start()
    assert harness.send("forge", signed=False).status_code == 401
    answer = harness.send("forge")
    assert answer.status_code == 202
    harness.settle()
    harness.assert_runs(("site.example.com", "flagged"))
    harness.assert_flags("site.example.com")
    assert harness.send("forge").json()["status"] == "duplicate"
    assert harness.send("forge", Sample(repository="acme/other")).json()["status"] == "ignored"


def test_what_does_not_hold_is_told_in_full(start: Start) -> None:
    harness = start()
    harness.send("forge")
    harness.settle()
    with pytest.raises(AssertionError, match=r"the runs are:\n  site\.example\.com: flagged \(the flag site\.ex"):
        harness.assert_runs()
    with pytest.raises(AssertionError, match=r"^the flags are: site\.example\.com$"):
        harness.assert_flags("other")


def test_the_host_is_played(start: Start) -> None:
    harness = start()
    for number, (code, state) in enumerate(((0, "deployed"), (7, "failed"))):
        harness.send(
            "forge", Sample(repository="acme/site", tag=f"v1.{number}", published_at=f"2026-01-0{number + 1}T00:00:00Z")
        )
        harness.settle()
        run = harness.deploy("site.example.com", exit_code=code, output="said")
        assert (run.state, run.result and run.result.output) == (state, "said")
        harness.assert_flags()
    with pytest.raises(AssertionError, match=r"there is no flag site\.example\.com to deploy; there are: none"):
        harness.deploy("site.example.com")


def test_who_has_no_sample_says_so(ducttape: Start) -> None:
    plugins = {"recorder": Recorder().module, "sender": sender()}
    harness = ducttape(RECORDED, plugins=plugins)
    with pytest.raises(DuctTapeError, match="plugin sender has no sample"):
        harness.send("sender")
    with pytest.raises(DuctTapeError, match="plugin recorder receives no webhooks"):
        harness.send("recorder")


def test_what_is_due_begins_at_once(ducttape: Start) -> None:
    attempts: list[float] = []

    def perform(run: object) -> None:
        attempts.append(time.time())
        if len(attempts) == 1:
            raise TransientError("busy")

    plugins = {"recorder": Recorder(perform).module, "sender": sender()}
    clock = FakeClock()
    harness = ducttape(RECORDED, plugins=plugins, clock=clock, retry=Retry(base=3600.0, cap=3600.0))
    deliver(harness)
    while not harness.runs()[0].attempts:
        harness.advance(0)
    assert len(attempts) == 1
    harness.advance(3600.0)
    while harness.runs()[0].state == "accepted":
        harness.advance(0)
    harness.assert_runs(("app", "done"))
    assert attempts[1] - attempts[0] == 3600.0


def test_the_machines_clock_is_back_afterwards(tmp_path: Path) -> None:
    clock = FakeClock(1000.0)
    with Harness(tmp_path, "", clock=clock) as harness:
        harness.advance(5)
        assert time.time() == 1005.0
    assert time.time() > 1_700_000_000
    with Harness(tmp_path, "") as harness, pytest.raises(RuntimeError, match=r"clock=FakeClock\(\)"):
        harness.advance(1)
