"""What the server tells the kernel to sync, and when, as strace sees it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from proofs.books import runs
from proofs.machine import Machine, until
from proofs.senders import Connection, delivery

RELEASES = 5
CALLS = "trace=fsync,fdatasync,rename,renameat,renameat2,recvfrom,sendto"

# "12 fsync(7</folder/file>) = 0"; of a call that another thread interrupts there are two lines.
_BEGUN = re.compile(r"(\d+) +(\w+\(.*) <unfinished \.\.\.>")
_RESUMED = re.compile(r"(\d+) +<\.\.\. \w+ resumed>(.*)")


def steps(trace: str) -> Iterator[str]:
    """The calls in the order in which they ended; an answer counts from its beginning."""
    begun: dict[str, str] = {}
    for line in trace.splitlines():
        if found := _BEGUN.fullmatch(line):
            begun[found[1]] = found[2]
        elif found := _RESUMED.fullmatch(line):
            yield begun.pop(found[1], "") + found[2]
        else:
            yield line.partition(" ")[2].strip()


def words(trace: str) -> Iterator[str]:
    """What matters here, one word each."""
    for step in steps(trace):
        if "POST /integrations" in step:
            yield "request"
        elif "HTTP/1.1 202" in step:
            yield "answer"
        elif re.match(r"f(data)?sync\(.*journal\.sqlite3-wal", step):
            yield "journal"
        elif re.match(r"fsync\(.*/shared_volume/\.tmp-", step):
            yield "content"
        elif re.match(r"fsync\(.*/shared_volume>", step):
            yield "folder"
        elif re.match(r'rename.*"app0"', step):
            yield "flag"


def traced(machine: Machine, trace: Path) -> list[str]:
    """The words of a server that gets releases one after the other."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    if subprocess.run([strace, "-o", os.devnull, "true"], capture_output=True, check=False).returncode:
        pytest.skip("strace may not trace here")
    machine.server.command = [strace, "-f", "-y", "-s", "64", "-o", f"{trace}", "-e", CALLS, *machine.server.command]
    try:
        machine.server.start()
        children = Path(f"/proc/{machine.server.pid}/task/{machine.server.pid}/children").read_text().split()
        try:
            send(machine)
        finally:
            end(machine, [int(child) for child in children])
    finally:
        machine.close()
    return list(words(trace.read_text()))


def send(machine: Machine) -> None:
    connection = Connection(machine.port)
    for number in range(1, RELEASES + 1):
        answer = connection.post(*delivery("app0", number))
        assert answer is not None
        assert answer.code == 202
        [run] = answer.runs
        # Until it is recorded: what is synced then belongs to the next one.
        until(partial(flagged, machine, run), "there is no flag")
    connection.close()


def flagged(machine: Machine, run: str) -> bool:
    return runs(machine.journal)[run].state == "flagged"


def end(machine: Machine, children: Sequence[int]) -> None:
    """End what strace started, and strace with it; killed alone it would leave the server behind."""
    for child in children:
        os.kill(child, signal.SIGTERM)
    with suppress(Exception):
        until(lambda: not machine.server.alive, "the server goes on", 30)
    if machine.server.alive:
        for child in children:
            os.kill(child, signal.SIGKILL)


def test_the_journal_is_synced_before_an_answer_and_the_folder_behind_a_flag(tmp_path: Path) -> None:
    found = traced(Machine(tmp_path, 1), tmp_path / "trace")
    assert found.count("answer") == found.count("flag") == RELEASES
    assert rounds(found, "request", "journal", "answer") == RELEASES
    assert rounds(found, "content", "flag", "folder") == RELEASES


def rounds(found: Sequence[str], first: str, then: str, last: str) -> int:
    """How often the three come in this order, with nothing but other words between."""
    kept = " ".join(word for word in found if word in (first, then, last))
    return len(re.findall(rf"{first}(?: {then})+ {last}", kept))
