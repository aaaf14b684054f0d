"""The whole way, with real processes: a signed release runs the one script that it should, once."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.e2e.machine import DEPLOY, LISTENERS, Machine, signed, until

SELF = "duct-tape.domainnamehere.com"
# What an operator's script does without containers: end the old server, start the new one.
RESTART = """#!/bin/sh
set -e
cd '{folder}'
old=$(cat server.pid)
kill -TERM "$old"
# A server that has ended and that nobody asked about is a zombie: it is gone, too.
while [ -d "/proc/$old" ] && ! grep -q '^State:.Z' "/proc/$old/status"; do sleep 0.02; done
setsid '{python}' -m duct_tape serve --config duct_tape.toml >>server.log 2>&1 </dev/null &
echo $! >server.pid
echo "$DUCT_TAPE_APPLICATION $DUCT_TAPE_TAG" >>'{record}'
"""
# Says that it has begun, and goes on when the test says so.
SLOW = """#!/bin/sh
echo "begun $DUCT_TAPE_TAG" >>'{record}'
read -r word <'{folder}/gate'
echo "$DUCT_TAPE_APPLICATION $DUCT_TAPE_TAG" >>'{record}'
"""
# Fails until somebody repairs it.
FRAGILE = """#!/bin/sh
[ -e '{folder}/repaired' ] || {{ echo "no such host"; exit 3; }}
echo "$DUCT_TAPE_APPLICATION $DUCT_TAPE_TAG" >>'{record}'
"""

listeners = pytest.mark.parametrize("form", LISTENERS)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """Three applications, as in the story that this project began with."""
    machine = Machine(tmp_path)
    for name in ("app1", "app2"):
        machine.application(name)
    machine.application(SELF, RESTART)
    yield machine
    machine.close()


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[int]:
    """The handle through which slow deploys are let go: one line for each."""
    os.mkfifo(tmp_path / "gate")
    handle = os.open(tmp_path / "gate", os.O_RDWR)
    yield handle
    os.close(handle)


def at(day: int) -> dict[str, str]:
    return {"published_at": f"2026-01-{day:02}T00:00:00Z"}


def ended(machine: Machine, *runs: str) -> list[str]:
    """The state of each run once it has ended; then nothing may be left lying about."""
    states = [str(machine.until_ended(run)["state"]) for run in runs]
    until(lambda: not list((machine.volume / ".running").glob("[0-9]*")))
    assert machine.flags() == []
    return states


@listeners
def test_the_server_learns_the_end_and_a_redelivery_repeats_what_failed(machine: Machine, form: str) -> None:
    machine.application("fragile", FRAGILE)
    machine.serve()
    machine.listen(form)
    failed = machine.release("fragile", "v1.0.0")
    until(lambda: machine.said(f"failed: run {failed.run} for fragile: bin/deploy failed with exit code 3"))
    assert machine.said(": no such host")
    (machine.folder / "repaired").touch()
    again = machine.release("fragile", "v1.0.0")
    assert (again.code, again.run != failed.run) == (202, True)
    until(lambda: machine.said(f"deployed: run {again.run} for fragile: bin/deploy succeeded after"))
    assert machine.release("fragile", "v1.0.0").status == "duplicate"
    assert machine.deployed() == ["fragile v1.0.0"]


def test_an_operator_goes_back_to_an_earlier_version(machine: Machine) -> None:
    machine.serve()
    machine.listen()
    for day, tag in enumerate(("v1.0.0", "v1.1.0"), 1):
        ended(machine, machine.release("app1", tag, **at(day)).run)
    until(lambda: machine.command("runs", "list", "--state", "deployed").count("app1") == 2)
    said = machine.command("redeploy", "app1", "--tag", "v1.0.0")
    assert said.startswith("run ")
    until(lambda: machine.deployed() == ["app1 v1.0.0", "app1 v1.1.0", "app1 v1.0.0"])
    assert machine.release("app1", "v1.1.0", **at(2)).status == "duplicate"


@listeners
def test_a_release_runs_its_own_script_once(machine: Machine, form: str) -> None:
    machine.serve()
    listener = machine.listen(form)
    answer = machine.release("app2", "v1.0.0")
    assert (answer.code, answer.status) == (202, "accepted")
    assert ended(machine, answer.run) == ["deployed"]
    until(lambda: machine.answers("/readyz"))
    listener.terminate()
    assert listener.wait(20) == 0
    assert machine.deployed() == ["app2 v1.0.0"]


@listeners
def test_duct_tape_deploys_itself(machine: Machine, form: str) -> None:
    old = machine.serve()
    machine.listen(form)
    answer = machine.release(SELF, "v2.0.0")
    assert answer.code == 202
    assert old.wait(20) == 0
    assert ended(machine, answer.run) == ["deployed"]
    until(machine.answers)
    assert (machine.folder / "server.pid").read_text() != f"{old.pid}\n"
    # The new server knows what the old one did, and works.
    assert machine.release(SELF, "v2.0.0").status == "duplicate"
    assert ended(machine, machine.release("app1", "v1").run) == ["deployed"]
    assert machine.deployed() == [f"{SELF} v2.0.0", "app1 v1"]


@listeners
def test_what_is_not_to_be_deployed_is_not(machine: Machine, form: str) -> None:
    machine.serve()
    machine.listen(form)
    for nothing in (
        machine.release("app1", "v2-rc1", prerelease=True),
        machine.release("app1", "v2", draft=True),
        machine.release("app1", "v2", action="created"),
        machine.release("app1", "v2", action="deleted"),
        machine.release("another", "v2"),
    ):
        assert (nothing.code, nothing.status) == (200, "ignored")
        assert nothing.body["reason"]
    forged = machine.send(signed("acme/app1", b"not the secret", tag="v2"))
    assert (forged.code, forged.body) == (401, {"status": "unauthorized"})
    assert ended(machine, machine.release("app2", "v1").run) == ["deployed"]
    assert machine.deployed() == ["app2 v1"]


@listeners
def test_of_the_releases_that_wait_the_last_one_wins(machine: Machine, form: str) -> None:
    machine.serve()
    runs = [machine.release("app1", f"v{day}", **at(day)).run for day in (1, 2, 3)]
    other = machine.release("app2", "v1").run
    until(lambda: machine.flags() == ["app1", "app2"] and runs[2] in (machine.volume / "app1").read_text())
    machine.listen(form)
    assert ended(machine, runs[2], other) == ["deployed", "deployed"]
    assert sorted(machine.deployed()) == ["app1 v3", "app2 v1"]
    # And an older one that comes even later changes nothing.
    late = machine.release("app1", "v0", **at(1))
    assert (late.code, late.body["reason"]) == (200, "v0 is older than v3, which was accepted before for app1")


@listeners
def test_releases_during_a_deploy_make_one_more(machine: Machine, gate: int, form: str) -> None:
    machine.application("slow", SLOW)
    machine.serve()
    machine.listen(form)
    first = machine.release("slow", "v1", **at(1)).run
    until(lambda: machine.deployed() == ["begun v1"])
    runs = [machine.release("slow", f"v{day}", **at(day)).run for day in (2, 3)]
    until(lambda: machine.said(f"flagged: run {runs[-1]} "))
    os.write(gate, b"go\ngo\n")
    assert ended(machine, first, runs[-1]) == ["deployed", "deployed"]
    assert machine.deployed() == ["begun v1", "slow v1", "begun v3", "slow v3"]


@listeners
def test_the_sender_waits_for_no_deploy(machine: Machine, gate: int, form: str) -> None:
    machine.application("slow", SLOW)
    machine.serve()
    machine.listen(form)
    answer = machine.release("slow", "v1")
    assert answer.seconds < 2
    until(lambda: machine.deployed() == ["begun v1"])
    # Nor does another application.
    other = machine.release("app1", "v1")
    assert other.seconds < 2
    assert machine.until_ended(other.run)["state"] == "deployed"
    os.write(gate, b"go\n")
    assert ended(machine, answer.run) == ["deployed"]
    assert machine.deployed() == ["begun v1", "app1 v1", "slow v1"]


def test_what_was_answered_with_202_survives_a_kill(machine: Machine) -> None:
    server = machine.serve()
    away = machine.volume.rename(machine.folder / "away")
    delivery = signed("acme/app1", tag="v1")
    answer = machine.send(delivery)
    assert answer.code == 202
    server.kill()
    server.wait(20)
    away.rename(machine.volume)
    assert machine.flags() == []
    machine.serve()
    assert machine.said("taking up 1 runs that were not finished")
    machine.listen()
    assert ended(machine, answer.run) == ["deployed"]
    assert machine.send(delivery).status == "duplicate"
    assert machine.deployed() == ["app1 v1"]


def test_a_volume_that_comes_back_gets_its_flag(machine: Machine) -> None:
    machine.serve()
    away = machine.volume.rename(machine.folder / "away")
    missing = f"the shared volume {machine.volume} does not exist: mount it, or set `path` under [volume]"
    answer = machine.release("app1", "v1")
    until(lambda: machine.said(f"run {answer.run}, attempt 1: {missing}"))
    away.rename(machine.volume)
    machine.listen()
    assert ended(machine, answer.run) == ["deployed"]


def test_the_same_release_again_is_a_duplicate(machine: Machine) -> None:
    machine.serve()
    machine.listen()
    delivery = signed("acme/app1", tag="v1")
    first = machine.send(delivery)
    again = machine.send(delivery)
    released = machine.release("app1", "v1", action="released")
    for answer in (again, released):
        assert (answer.code, answer.status, answer.run) == (200, "duplicate", first.run)
    assert ended(machine, first.run) == ["deployed"]
    assert machine.send(delivery).status == "duplicate"
    assert machine.deployed() == ["app1 v1"]


def test_however_many_deliveries_at_once_there_is_one_run(machine: Machine) -> None:
    machine.serve()
    deliveries = [signed("acme/app1", tag="v1", action=action) for action in ("published", "released") * 20]
    with ThreadPoolExecutor(20) as senders:
        answers = list(senders.map(machine.send, deliveries))
    assert Counter(answer.status for answer in answers) == {"accepted": 1, "duplicate": 39}
    assert len({answer.run for answer in answers}) == 1
    machine.listen()
    assert ended(machine, answers[0].run) == ["deployed"]
    assert machine.deployed() == ["app1 v1"]


@listeners
def test_a_failed_deploy_says_why_and_the_next_release_is_deployed(machine: Machine, form: str) -> None:
    broken = DEPLOY + '[ "$DUCT_TAPE_TAG" != v1 ] || {{ echo "no more space"; exit 3; }}\n'
    machine.application("fragile", broken)
    machine.serve()
    machine.listen(form)
    run = machine.release("fragile", "v1", **at(1)).run
    result = machine.until_ended(run)
    assert (result["state"], result["exit_code"]) == ("failed", 3)
    # On a busy machine the log may still be on its way when the result is there.
    until(lambda: (machine.volume / ".results" / f"{run}.log").read_text() == "no more space\n")
    assert ended(machine, machine.release("fragile", "v2", **at(2)).run) == ["deployed"]
    assert machine.deployed() == ["fragile v1", "fragile v2"]


@listeners
def test_sigterm_ends_both_and_a_deploy_may_end_first(machine: Machine, gate: int, form: str) -> None:
    machine.application("slow", SLOW)
    server, listener = machine.serve(), machine.listen(form)
    run = machine.release("slow", "v1").run
    until(lambda: machine.deployed() == ["begun v1"])
    server.send_signal(signal.SIGTERM)
    assert server.wait(20) == 0
    listener.send_signal(signal.SIGTERM)
    until(lambda: "stopping" in (machine.folder / "listener.log").read_text())
    assert listener.poll() is None
    os.write(gate, b"go\n")
    assert listener.wait(20) == 0
    assert machine.result(run)["state"] == "deployed"
    assert machine.deployed() == ["begun v1", "slow v1"]


def test_the_flag_that_waits_says_what_is_to_be_deployed(machine: Machine) -> None:
    machine.serve()
    assert not machine.answers("/readyz")  # Nobody listens.
    delivery = signed("acme/app1", tag="v1")
    answer = machine.send(delivery)
    until(lambda: machine.flags() == ["app1"])
    flag = json.loads((machine.volume / "app1").read_text())
    assert (flag["run"], flag["application"], flag["tag"]) == (answer.run, "app1", "v1")
    assert flag["delivery"] == delivery.value("X-GitHub-Delivery")
