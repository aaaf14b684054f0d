"""A shared volume that holds far too many files: no deploy waits for them, and they take no memory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.listener_support import Host, until

OWN = (".results", ".running", ".set-aside", ".cancel")
MANY = 30_000


def fill(path: Path, number: int, prefix: str = "zz-") -> None:
    """Leave so many empty files."""
    path.mkdir(exist_ok=True)
    handle = os.open(path, os.O_DIRECTORY)
    for count in range(number):
        os.close(os.open(f"{prefix}{count}", os.O_CREAT | os.O_WRONLY, 0o644, dir_fd=handle))
    os.close(handle)


def most_memory(pid: int) -> float:
    """How much memory a process and its children have taken at most, in MB."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:  # A child that has ended meanwhile.
        return 0.0
    own = sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return own / 1024 + sum(most_memory(int(child)) for child in children)


def test_tens_of_thousands_of_files_hold_up_no_deploy(host: Host) -> None:
    host.application("app1")
    fill(host.volume, MANY)
    host.flag("app1", "first")
    listener = host.start()
    for number in range(5):
        host.flag("app1", f"v{number}")
        host.state(f"run-v{number}", "deployed")
    # Nobody waited until the others were gone.
    assert host.at_top()
    assert host.runs("app1") == ["first", "v0", "v1", "v2", "v3", "v4"]
    until(lambda: len(host.at_top()) < MANY - 3000, 60)
    assert len(host.aside()) <= 100
    assert listener.log().count("set aside") <= 110
    assert 1 < most_memory(listener.process.pid) < 60


def test_once_goes_through_all_of_it(host: Host) -> None:
    host.application("app1")
    fill(host.volume, 3000)
    host.flag("app1", "v1")

    code, log = host.once()

    assert code == 1
    assert host.at_top() == []
    assert host.runs("app1") == ["v1"]
    assert len(log.splitlines()) < 120


@pytest.mark.parametrize("name", [".", *OWN])
def test_folders_of_the_listeners_own_that_are_full_hold_up_no_deploy(host: Host, name: str) -> None:
    host.application("app1")
    fill(host.volume / name, MANY, prefix="." if name == "." else "zz-")
    host.start()
    (host.volume / "unknown").touch()
    for number in range(3):
        host.flag("app1", f"v{number}")
        host.state(f"run-v{number}", "deployed")
    until(lambda: host.at_top() == [])
    host.cancel("run-of-nobody")
    assert host.runs("app1") == ["v0", "v1", "v2"]
