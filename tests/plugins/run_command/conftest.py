"""What the tests of ``run-command`` share: programs, and waiting for what they leave behind."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

import pytest

Script: TypeAlias = Callable[..., str]


def wait_for(true: Callable[[], bool], seconds: float = 15.0) -> None:
    """Wait for something that tells nobody."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that waits to be noticed does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """Make a program."""

    def made(text: str, name: str = "program", first: str = "#!/bin/sh\n") -> str:
        path = tmp_path / name
        path.write_text(f"{first}{text}\n")
        path.chmod(0o755)
        return str(path)

    return made


@pytest.fixture
def pids(tmp_path: Path) -> Iterator[Callable[[int], list[int]]]:
    """The process ids that programs wrote into the file ``pids``, once there are so many. Killed at the end."""
    file = tmp_path / "pids"

    def found() -> list[int]:
        return [int(line) for line in file.read_text().split()] if file.exists() else []

    def awaited(count: int) -> list[int]:
        wait_for(lambda: len(found()) >= count)
        return found()

    yield awaited
    for pid in found():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
