"""The keeper, in this process: what it starts, what it tells, and when it ends its command."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from attrs import define, field
from tests.plugins.run_command.conftest import is_alive, wait_for

from duct_tape_run_command import keeper

if TYPE_CHECKING:
    from tests.plugins.run_command.conftest import Script

Pids = Callable[[int], list[int]]


@define
class Server:
    """What a keeper knows of the server: two pipes."""

    control: int
    answers: int
    _far: list[int]
    said: list[dict[str, Any]] = field(factory=list)

    def order(self, *arguments: str, **more: Any) -> None:
        given = {"directory": "/", "environment": dict(os.environ), "stdin": "", "kill_after": 10.0, **more}
        self.send(json.dumps({"arguments": arguments, **given}).encode() + b"\n")

    def send(self, line: bytes) -> None:
        os.write(self._far[0], line)

    def go(self) -> None:
        """The server ends, however."""
        os.close(self._far.pop(0))

    def heard(self) -> dict[str, Any]:
        """All that was told; the keeper has ended."""
        os.set_blocking(self._far[-1], False)
        try:
            lines = os.read(self._far[-1], 65536).splitlines()
        except BlockingIOError:
            return {}
        return {name: value for line in lines for name, value in json.loads(line).items()}


@pytest.fixture
def server() -> Iterator[Server]:
    before = signal.getsignal(signal.SIGTERM)
    control, control_far = os.pipe()
    answers_far, answers = os.pipe()
    far = [control_far, answers_far]
    yield Server(control, answers, far)
    signal.signal(signal.SIGTERM, before)
    for handle in (control, answers, *far):
        os.close(handle)


def when(true: Callable[[], object], then: Callable[[], object]) -> None:
    """Do something beside the keeper, once something else has returned."""

    def work() -> None:
        true()
        then()

    threading.Thread(target=work).start()


def kept(server: Server) -> dict[str, Any]:
    keeper.main(server.control, server.answers)
    return server.heard()


@pytest.mark.parametrize(("text", "code"), [("exit 0", 0), ("exit 3", 3), ("kill -9 $$", -9)])
def test_it_tells_how_the_command_ended(server: Server, script: Script, text: str, code: int) -> None:
    server.order(script(text))
    heard = kept(server)
    assert (heard["code"], heard["stopped"]) == (code, False)
    assert heard["group"] > 1


def test_the_command_gets_what_was_ordered(server: Server, script: Script, tmp_path: Path) -> None:
    program = script('{ cat; pwd; printf "%s\\n" "$@"; env; } > out')
    server.order(program, "a b", "$(id)", directory=str(tmp_path), environment={"A": "ä"}, stdin="read this\n")
    assert kept(server)["code"] == 0
    lines = (tmp_path / "out").read_text().splitlines()
    assert lines[:4] == ["read this", str(tmp_path), "a b", "$(id)"]
    assert "A=ä" in lines
    assert {line.partition("=")[0] for line in lines[4:]} <= {"A", "PWD", "SHLVL", "_"}


@pytest.mark.parametrize(
    ("arguments", "directory", "error"),
    [
        (["/no/such"], "/", "/no/such: No such file or directory"),
        (["/etc/passwd"], "/", "/etc/passwd: Permission denied"),
        (["/usr/bin/env"], "/no/such", "/no/such: No such file or directory"),
    ],
)
def test_what_cannot_be_started_is_told(server: Server, arguments: list[str], directory: str, error: str) -> None:
    server.order(*arguments, directory=directory)
    assert kept(server) == {"error": error}


def test_a_script_without_a_first_line_is_run_by_a_shell(server: Server, script: Script, tmp_path: Path) -> None:
    server.order(script('echo "$1" > "$2"', first=""), "$(id)", f"{tmp_path}/out")
    assert kept(server)["code"] == 0
    assert (tmp_path / "out").read_text() == "$(id)\n"


@pytest.mark.parametrize("line", [b"", b'{"arguments": ["/usr/bin/env"'])
def test_without_a_whole_order_nothing_is_run(server: Server, line: bytes) -> None:
    server.send(line) if line else None
    server.go()
    assert kept(server) == {}


def test_when_the_server_is_gone_the_whole_group_is_ended(
    server: Server, script: Script, tmp_path: Path, pids: Pids
) -> None:
    server.order(script("sleep 60 & echo $! $$ > pids; wait"), directory=str(tmp_path))
    when(lambda: pids(2), server.go)
    assert kept(server)["code"] == -signal.SIGTERM
    wait_for(lambda: not any(map(is_alive, pids(2))))


def test_what_does_not_end_is_killed(server: Server, script: Script, tmp_path: Path, pids: Pids) -> None:
    text = "trap '' TERM; (trap '' TERM; sleep 60) & echo $! $$ > pids; while :; do sleep 0.05; done"
    server.order(script(text), directory=str(tmp_path), kill_after=0.2)
    when(lambda: pids(2), server.go)
    assert kept(server)["code"] == -signal.SIGKILL
    wait_for(lambda: not any(map(is_alive, pids(2))))


def test_a_command_may_clean_up(server: Server, script: Script, tmp_path: Path, pids: Pids) -> None:
    text = "trap 'sleep 0.1; touch clean; exit 7' TERM; echo $$ > pids; while :; do sleep 0.05; done"
    server.order(script(text), directory=str(tmp_path))
    when(lambda: pids(1), server.go)
    assert kept(server)["code"] == 7
    assert (tmp_path / "clean").exists()


@pytest.mark.parametrize("first", ["keeper", "command"])
def test_who_stops_everything_at_once_stops_the_command(
    server: Server, script: Script, tmp_path: Path, pids: Pids, first: str
) -> None:
    server.order(script("echo $$ > pids; exec sleep 60"), directory=str(tmp_path))

    def stop() -> None:
        (pid,) = pids(1)
        for target in (os.getpid(), pid) if first == "keeper" else (pid, os.getpid()):
            os.kill(target, signal.SIGTERM)

    threading.Thread(target=stop).start()
    heard = kept(server)
    assert (heard["code"], heard["stopped"]) == (-signal.SIGTERM, True)


def test_without_anybody_to_tell_the_command_is_ended_all_the_same(script: Script, tmp_path: Path, pids: Pids) -> None:
    control, far = os.pipe()
    woken, wake = os.pipe()
    order = {"arguments": [script("echo $$ > pids; exec sleep 60")], "directory": str(tmp_path), "environment": {},
             "stdin": "", "kill_after": 5.0}  # fmt: skip
    told: list[Any] = []
    when(lambda: pids(1), lambda: os.close(far))
    keeper.keep(order, control, woken, told.append)
    for handle in (control, woken, wake):
        os.close(handle)
    assert not is_alive(pids(1)[0])
    assert [sorted(item) for item in told] == [["group"], ["code", "stopped"]]


def test_a_group_of_another_user_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = []

    def killpg(group: int, number: int) -> None:
        sent.append(number)
        raise PermissionError

    monkeypatch.setattr("os.killpg", killpg)
    keeper.end_group(12345, 0.05)
    assert (sent[0], sent[-1]) == (signal.SIGTERM, signal.SIGKILL)
    assert set(sent[1:-1]) == {0}
