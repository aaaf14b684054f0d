"""What is accepted is on disk: seen by the kernel, by kill -9, and with a disk that is full."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.server_support import run

from duct_tape.delivery import Runs
from duct_tape.errors import JournalError
from duct_tape.journal.sqlite import SQLiteJournal

SUPPORT = """
import asyncio, os, sys
from pathlib import Path
from duct_tape.api import Runs
from duct_tape.errors import JournalError
from duct_tape.journal.sqlite import SQLiteJournal
from tests.server_support import event, run

def say(text):
    os.write(1, f"{text}\\n".encode())

async def accept(journal, number):
    item = run(number)
    await journal.accept(item.event, Runs(runs=(), key=f"{number}"), [item])

async def main():
    journal = SQLiteJournal(Path("journal.sqlite3"))
"""


def started(folder: Path, script: str, *wrapper: str) -> subprocess.Popen[str]:
    lines = "".join(f"    {line}\n" for line in script.strip().splitlines())
    return subprocess.Popen(
        [*wrapper, sys.executable, "-c", f"{SUPPORT}{lines}asyncio.run(main())"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output(folder: Path, script: str, *wrapper: str) -> str:
    out, error = started(folder, script, *wrapper).communicate(timeout=60)
    assert error == ""
    return out


def test_a_commit_reaches_the_disk_before_anybody_is_told(tmp_path: Path) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    script = """
for number in range(20):
    say(f"begin {number}")
    await accept(journal, number)
    say(f"accepted {number}")
"""
    trace = tmp_path / "trace"
    with started(tmp_path, script, strace, "-f", "-o", str(trace), "-e", "trace=write,fsync,fdatasync") as process:
        process.communicate(timeout=60)
    if process.returncode:
        pytest.skip("strace may not trace here")
    told = re.findall(r'f(?:data)?sync\(|write\(1, "(\w+) \d+', trace.read_text())
    # "" stands for a sync: there is at least one between the beginning and the answer of each.
    rounds = re.findall(r"begin,+accepted", ",".join(told))
    assert len(rounds) == 20
    assert all(",," in one for one in rounds)


def test_kill_9_after_the_answer_loses_nothing(tmp_path: Path) -> None:
    script = """
for number in range(10**9):
    await accept(journal, number)
    say(f"accepted {number}")
"""
    last = -1
    with started(tmp_path, script) as process:
        assert process.stdout is not None
        for line in process.stdout:
            last = int(line.split()[1])
            if last == 50:
                process.send_signal(signal.SIGKILL)
    found = output(tmp_path, 'say(" ".join(item.id for item in await journal.unfinished()))').split()
    assert last >= 50
    assert found[: last + 1] == [f"run-{number}" for number in range(last + 1)]
    # At most the one that was on its way is there without having been told.
    assert len(found) <= last + 2


def test_a_full_disk_accepts_nothing_and_later_works_again(tmp_path: Path) -> None:
    script = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
await accept(journal, 0)
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (max(os.path.getsize(p) for p in os.scandir(".")), hard))
accepted = {0}
for number in range(1, 200):
    try:
        await accept(journal, number)
    except JournalError as error:
        message = str(error)
    else:
        accepted.add(number)
assert len(accepted) < 200, len(accepted)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
await accept(journal, 1000)
found = {int(item.id.split("-")[1]) for item in await journal.unfinished()}
assert found == accepted | {1000}, (found, accepted)
say(message)
"""
    message = output(tmp_path, script)
    assert message.startswith("the journal cannot be written: ")


@pytest.mark.parametrize("replaced", [False, True])
def test_a_journal_that_was_taken_away_accepts_nothing(tmp_path: Path, replaced: bool) -> None:
    path = tmp_path / "var/journal.sqlite3"

    async def main() -> None:
        journal = SQLiteJournal(path)
        try:
            for file in path.parent.iterdir():
                file.unlink()
            if replaced:
                path.touch()
            with pytest.raises(JournalError, match="was taken away or replaced: start the server again"):
                await journal.accept(run().event, Runs(runs=(), key="k"), [run()])
            with pytest.raises(JournalError, match="was taken away"):
                await journal.counts()
        finally:
            await journal.close()

    asyncio.run(main())
