"""Commands as processes of their own, through a keeper as the server starts it."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest
from tests.plugins.run_command.conftest import is_alive, wait_for

from duct_tape_run_command.command import Command
from duct_tape_run_command.output import MAX_BYTES, MAX_LINES, last_lines
from duct_tape_run_command.process import Commands, Ended

if TYPE_CHECKING:
    from tests.plugins.run_command.conftest import Script

T = TypeVar("T")
Pids = Callable[[int], list[int]]


def command(*arguments: str, directory: str = "/", **environment: str) -> Command:
    given = {"PATH": os.environ["PATH"], **environment}
    return Command(arguments=arguments, directory=directory, environment=given, chosen={}, stdin="in\n")


def carried_out(given: Command, seconds: float = 60.0, kill_after: float = 10.0) -> Ended:
    async def main() -> Ended:
        commands = Commands()
        ended = await commands.carry_out(given, seconds, kill_after)
        await commands.close(1.0)
        return ended

    return asyncio.run(main())


def with_commands(scene: Callable[[Commands], Awaitable[T]]) -> T:
    async def main() -> T:
        commands = Commands()
        try:
            return await scene(commands)
        finally:
            await commands.close(5.0)

    return asyncio.run(main())


def test_code_and_output_come_back(script: Script) -> None:
    program = script('cat; echo "$1" >&2; exit 3')
    assert carried_out(command(program, "a b")) == Ended(code=3, output="in\na b")


def test_a_signal_is_shown_as_a_shell_shows_it(script: Script) -> None:
    assert carried_out(command(script("kill -9 $$"))) == Ended(code=137)


def test_what_cannot_be_started_is_an_error() -> None:
    assert carried_out(command("/no/such")) == Ended(error="/no/such: No such file or directory")


def test_nothing_of_the_servers_is_handed_down(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not by the environment, not by an open file, and not by a command line, also of the keeper between."""
    with monkeypatch.context() as patch:
        patch.setenv("T0PSECRET", "t0psecret")
        text = "env; ls -l /proc/self/fd; cat /proc/$PPID/environ /proc/$PPID/cmdline | tr '\\0' '\\n'"
        ended = carried_out(command(script(text), "argument", A="variable"))
    assert "t0psecret" not in ended.output.lower()
    assert "A=variable" in ended.output
    handles = [line for line in ended.output.splitlines() if "->" in line]
    # Three, and the folder that is being listed.
    assert len(handles) == 4
    keepers = ended.output.partition("python")[2]
    assert "argument" not in keepers
    assert "variable" not in keepers


def test_only_the_end_of_much_output_is_kept(script: Script) -> None:
    ended = carried_out(command(script("seq 1 200000; echo end")))
    lines = ended.output.splitlines()
    assert (ended.code, lines[-1], len(lines)) == (0, "end", MAX_LINES)


def test_lines_are_cut_where_they_begin() -> None:
    assert last_lines(b"a\nb\n") == "a\nb"
    assert last_lines(b"x" * (MAX_BYTES - 2) + b"\nb") == "b"
    assert last_lines(b"x" * MAX_BYTES) == "x" * MAX_BYTES
    assert last_lines(b"\xff") == "\N{REPLACEMENT CHARACTER}"


def test_what_takes_too_long_is_ended_with_its_whole_group(script: Script, tmp_path: Path, pids: Pids) -> None:
    program = script("sleep 60 & echo $! $$ > pids; echo begun; wait")
    ended = carried_out(command(program, directory=str(tmp_path)), seconds=1.0)
    assert (ended.timed_out, ended.code, ended.output) == (True, None, "begun")
    wait_for(lambda: not any(map(is_alive, pids(2))))


def test_one_that_is_cancelled_has_ended_when_it_says_so(script: Script, tmp_path: Path, pids: Pids) -> None:
    program = script("trap 'sleep 0.2; exit' TERM; echo $$ > pids; while :; do sleep 0.05; done")

    async def scene(commands: Commands) -> None:
        task = asyncio.create_task(commands.carry_out(command(program, directory=str(tmp_path)), 60, 10))
        (pid,) = await asyncio.to_thread(pids, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not is_alive(pid)

    with_commands(scene)


def test_closing_waits_for_those_that_are_being_ended(script: Script, tmp_path: Path, pids: Pids) -> None:
    program = script("trap '' TERM; echo $$ > pids; while :; do sleep 0.05; done")

    async def scene(commands: Commands) -> None:
        task = asyncio.create_task(commands.carry_out(command(program, directory=str(tmp_path)), 60, 0.5))
        (pid,) = await asyncio.to_thread(pids, 1)
        task.cancel()
        assert await commands.close(0.05) == 1
        assert await commands.close(10.0) == 0
        assert not is_alive(pid)

    with_commands(scene)


def test_what_is_left_in_the_background_is_neither_waited_for_nor_ended(
    script: Script, tmp_path: Path, pids: Pids
) -> None:
    background = "(sleep 0.5; echo more; sleep 0.1; touch alive; sleep 60) &"

    async def scene(commands: Commands) -> Ended:
        began = time.monotonic()
        given = command(script(f"{background} echo $! > pids; echo done"), directory=str(tmp_path))
        ended = await commands.carry_out(given, 60, 10)
        assert time.monotonic() - began < 30
        # It goes on, since somebody still reads what it prints.
        await asyncio.to_thread(wait_for, (tmp_path / "alive").exists)
        return ended

    assert with_commands(scene) == Ended(code=0, output="done")
    assert is_alive(pids(1)[0])


def test_when_somebody_kills_the_keeper_the_command_is_killed(script: Script, tmp_path: Path, pids: Pids) -> None:
    program = script("echo $PPID $$ > pids; exec sleep 60")

    async def scene(commands: Commands) -> Ended:
        task = asyncio.create_task(commands.carry_out(command(program, directory=str(tmp_path)), 60, 10))
        keeper, _ = await asyncio.to_thread(pids, 2)
        os.kill(keeper, signal.SIGKILL)
        return await task

    assert with_commands(scene) == Ended()
    wait_for(lambda: not is_alive(pids(2)[1]))


def test_a_keeper_that_dies_at_once_is_no_success(monkeypatch: pytest.MonkeyPatch, script: Script) -> None:
    monkeypatch.setattr("duct_tape_run_command.process.KEEPER", "/no/such/keeper.py")
    ended = carried_out(
        Command(arguments=(script("exit 0"),), directory="/", environment={}, chosen={}, stdin="x" * 10**6)
    )
    assert ended.code is None
    assert not ended.timed_out


def test_a_machine_that_starts_no_process_is_an_error_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/no/such/python")
    with pytest.raises(OSError, match="/no/such/python"):
        carried_out(command("/usr/bin/env"))


def test_many_at_once(script: Script) -> None:
    program = script('echo "$1"')

    async def scene(commands: Commands) -> list[Ended]:
        return await asyncio.gather(*(commands.carry_out(command(program, str(n)), 60, 10) for n in range(20)))

    assert with_commands(scene) == [Ended(code=0, output=str(number)) for number in range(20)]
