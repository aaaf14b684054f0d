"""Cancelling, following and losing runs with real processes: a server, a listener, and an operator beside them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.machine import LISTENERS, Machine, until
from tests.listener_support import runs

# What it starts does not care for SIGTERM. Every process writes down its id.
LONG = """#!/bin/sh
echo $$ >>'{folder}/pids'
sh -c 'trap "" TERM; echo $$ >>'"'{folder}/pids'"'; while :; do sleep 0.05; done' &
until [ "$(wc -l <'{folder}/pids')" = 2 ]; do sleep 0.01; done
echo "begun $DUCT_TAPE_TAG"
wait
"""

listeners = pytest.mark.parametrize("form", LISTENERS)


@pytest.fixture
def idle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """An application whose deploy never ends by itself; nothing is started yet."""
    monkeypatch.setenv("DUCT_TAPE_KILL_AFTER", "1")
    machine = Machine(tmp_path)
    machine.application("long", LONG)
    yield machine
    machine.close()


@pytest.fixture
def machine(idle: Machine) -> Machine:
    """The same with a server."""
    idle.serve()
    return idle


def shown(machine: Machine, run: str) -> dict[str, str]:
    return dict(json.loads(machine.command("runs", "show", run, "--json")))


def following(machine: Machine, run: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "duct_tape", "runs", "follow", run, "--config", machine.configuration.name]
    return subprocess.Popen(command, cwd=machine.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@listeners
def test_cancel_returns_when_every_process_is_gone(machine: Machine, form: str) -> None:
    machine.listen(form)
    run = machine.release("long", "v1").run
    follower = following(machine, run)
    assert follower.stdout
    assert follower.stdout.readline() == "begun v1\n"
    pids = [int(pid) for pid in (machine.folder / "pids").read_text().split()]
    assert len(pids) == 2
    assert all(map(runs, pids))

    answer = json.loads(machine.command("cancel", run, "--json"))

    assert not any(map(runs, pids))
    assert (answer["state"], answer["cancelled"]) == ("cancelled", True)
    assert shown(machine, run)["state"] == "cancelled"
    assert follower.wait(20) == 1
    rest, errors = follower.communicate()
    assert rest.startswith(f"run {run}: cancelled: bin/deploy was cancelled after ")
    assert "Traceback" not in errors
    until(lambda: machine.said(f"cancelled: run {run} for long: bin/deploy was cancelled"))
    assert list((machine.volume / ".cancel").iterdir()) == []


def test_a_flag_is_taken_back_before_there_is_a_listener(machine: Machine) -> None:
    run = machine.release("long", "v1").run
    until(lambda: machine.flags() == ["long"])

    assert machine.command("cancel", run).startswith(f"run {run} is cancelled: ")

    assert machine.flags() == []
    assert shown(machine, run)["state"] == "cancelled"
    until(lambda: machine.said(f"cancelled: run {run} for long: cancelled by "))
    listener = machine.listen()
    assert not (machine.folder / "pids").exists()
    listener.kill()
    # The operator may want it after all: a redelivery of what was cancelled is no duplicate.
    assert machine.release("long", "v1").status == "accepted"


@listeners
def test_a_request_outlives_listener_and_server(machine: Machine, form: str) -> None:
    listener = machine.listen(form)
    run = machine.release("long", "v1").run
    until(lambda: shown(machine, run)["state"] == "deploying")
    for process in (listener, machine.started[0]):
        process.kill()
        process.wait(20)
    # The bash deploy outlives its listener, and serves the request itself.
    if form == "python":
        with pytest.raises(subprocess.CalledProcessError) as failed:
            machine.command("cancel", run, "--wait", "0.5")
        assert "no listener has answered within 0.5 seconds" in failed.value.stderr
        machine.listen(form)

    assert machine.command("cancel", run).startswith(f"run {run} is cancelled: ")

    pids = [int(pid) for pid in (machine.folder / "pids").read_text().split()]
    assert not any(map(runs, pids))
    assert shown(machine, run)["state"] == "cancelled"


def test_a_deploy_whose_listener_is_killed_is_lost_until_the_next_one_deploys_it_again(idle: Machine) -> None:
    machine = idle
    # More than the time between two heartbeats.
    machine.configuration.write_text(machine.configuration.read_text() + "[volume]\nlistener_timeout = 6\n")
    machine.application("once", "#!/bin/sh\n[ -e '{folder}/go' ] || exec sleep 1000\n")
    machine.serve()
    listener = machine.listen()
    run = machine.release("once", "v1").run
    until(lambda: shown(machine, run)["state"] == "deploying")

    listener.kill()
    until(lambda: machine.said(f"lost: run {run} for once: the listener stopped during its deploy"))
    assert shown(machine, run)["state"] == "lost"
    assert not machine.answers("/readyz")

    (machine.folder / "go").touch()
    machine.listen()
    until(lambda: shown(machine, run)["state"] == "deployed")
    until(lambda: machine.answers("/readyz"))
