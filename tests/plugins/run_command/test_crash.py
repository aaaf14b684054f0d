"""A server that is killed: its command does not go on beside the one of the next server."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tests.plugins.run_command.conftest import is_alive, wait_for
from tests.server_support import free_port, serving

from duct_tape.api import Run
from duct_tape.journal.sqlite import SQLiteJournal

if TYPE_CHECKING:
    from tests.plugins.run_command.conftest import Script

Pids = Callable[[int], list[int]]

CONFIGURATION = """
[triggers.deploy]
action = "run-command"
command = ["PROGRAM"]
directory = "FOLDER"
kill_after = 1
[plugins.run-command]
[plugins.sender]
"""
DELIVERY = b'{"delivery": "d-1"}'


def send(port: int) -> None:
    subprocess.run(
        ["curl", "-fsS", "-H", "Content-Type: application/json", "-H", "signature: good", "-d", DELIVERY,
         f"http://127.0.0.1:{port}/integrations/sender"],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip


def bound(port: int) -> str:
    """The beginning of ``[server]``. Runs in flight get half of the time, plugins a quarter."""
    return f'bind = ["127.0.0.1:{port}"]\nshutdown_timeout = 5'


def only_run(folder: Path) -> Run:
    async def main() -> list[Run]:
        journal = SQLiteJournal(folder / "journal.sqlite3", exclusive=False)
        runs = await journal.recent(10)
        await journal.close()
        return runs

    (run,) = asyncio.run(main())
    return run


def test_after_a_crash_it_runs_once_more_and_never_twice_at_once(script: Script, tmp_path: Path, pids: Pids) -> None:
    text = "sleep 60 & echo $! $$ >> pids; test -e go || wait; kill $!"
    configuration = CONFIGURATION.replace("PROGRAM", script(text)).replace("FOLDER", str(tmp_path))
    with serving(tmp_path, configuration=configuration) as server:
        send(server.port)
        first = pids(2)
        server.stop(signal.SIGKILL)
        # Nobody but the keeper is left to do this.
        wait_for(lambda: not any(map(is_alive, first)))
    assert only_run(tmp_path).state == "accepted"
    (tmp_path / "go").touch()
    with serving(tmp_path, configuration=configuration) as server:
        wait_for(lambda: only_run(tmp_path).state == "done")
        assert server.stop() == 0
    assert len(pids(4)) == 4
    assert only_run(tmp_path).attempts == 1


def test_a_server_that_is_stopped_with_all_its_processes_runs_it_again(
    script: Script, tmp_path: Path, pids: Pids
) -> None:
    """As systemd does it, unless it is told to signal the server alone."""
    program = script("echo $$ $PPID >> pids; test -e go || exec sleep 60")
    configuration = CONFIGURATION.replace("PROGRAM", program).replace("FOLDER", str(tmp_path))
    with serving(tmp_path, configuration=configuration) as server:
        send(server.port)
        command, keeper = pids(2)
        os.kill(command, signal.SIGTERM)
        os.kill(keeper, signal.SIGTERM)
        assert server.stop() == 0
    assert only_run(tmp_path).state == "accepted"
    (tmp_path / "go").touch()
    with serving(tmp_path, configuration=configuration) as server:
        wait_for(lambda: only_run(tmp_path).state == "done")
        assert server.stop() == 0


def test_a_long_one_is_ended_when_the_server_stops_and_run_again(script: Script, tmp_path: Path, pids: Pids) -> None:
    program = script("echo $$ >> pids; test -e go || exec sleep 60")
    configuration = CONFIGURATION.replace("PROGRAM", program).replace("FOLDER", str(tmp_path))
    with serving(tmp_path, bound(port := free_port()), "", configuration) as server:
        send(port)
        (first,) = pids(1)
        assert server.stop() == 0
    wait_for(lambda: not is_alive(first))
    assert only_run(tmp_path).state == "accepted"
    (tmp_path / "go").touch()
    with serving(tmp_path, configuration=configuration) as server:
        wait_for(lambda: only_run(tmp_path).state == "done")
        assert server.stop() == 0
    # One attempt: being cut short is no failure.
    assert only_run(tmp_path).attempts == 1
    assert len(pids(2)) == 2


def test_one_that_does_not_want_to_end_does_not_hold_up_the_server(script: Script, tmp_path: Path, pids: Pids) -> None:
    program = script("trap '' TERM; echo $$ > pids; while :; do sleep 0.05; done")
    configuration = CONFIGURATION.replace("PROGRAM", program).replace("FOLDER", str(tmp_path))
    configuration = configuration.replace("kill_after = 1", "kill_after = 4")
    with serving(tmp_path, bound(port := free_port()), "", configuration) as server:
        send(port)
        (pid,) = pids(1)
        assert server.stop() == 0
        assert "commands that still clean up: 1;" in server.log
        assert is_alive(pid)
    wait_for(lambda: not is_alive(pid))
    assert only_run(tmp_path).state == "accepted"
