"""A shared volume in which a stranger changes everything all the time: neither side is led astray or held up."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
from tests.e2e.machine import Machine, until
from tests.listener_support import Host

from duct_tape.flags import Flag
from duct_tape.results import Result

# Swaps two names in one step, as often as a file can be looked at.
_renameat2 = ctypes.CDLL(None).renameat2
_HERE, _EXCHANGE = -100, 2
OWN = (".results", ".running", ".set-aside", ".cancel")


def folder(path: Path) -> None:
    (path / "full").mkdir(parents=True)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


def listening(path: Path) -> None:
    # A path of a socket may have no more than about 100 bytes.
    handle = os.open(path.parent, os.O_DIRECTORY)
    with socket.socket(socket.AF_UNIX) as item:
        item.bind(f"/proc/self/fd/{handle}/{path.name}")
    os.close(handle)


def device(path: Path) -> None:
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))
    except PermissionError:  # Only root makes devices, and not in every container.
        endless(path)


KINDS: dict[str, Callable[[Path], None]] = {
    "folder": folder,
    "pipe": os.mkfifo,
    "link": lambda path: path.symlink_to(path.parent.parent / "outside" / "flag"),
    "endless": endless,
    "huge": huge,
    "socket": listening,
    "device": device,
}


def away(path: Path) -> None:
    """Remove whatever it is."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def swapping(path: Path, make: Callable[[Path], None], other: Callable[[Path], None]) -> Iterator[list[int]]:
    """Meanwhile ``path`` is one thing and the other, as fast as that goes; yields how often it was changed."""
    ended, count, aside = threading.Event(), [0], path.with_name(f".tmp-other-{path.name}")

    def swap() -> None:
        while not ended.is_set():
            with suppress(OSError):
                for place, kind in ((path, make), (aside, other)):
                    if not os.path.lexists(place):
                        kind(place)
            for _ in range(100):
                if _renameat2(_HERE, os.fsencode(path), _HERE, os.fsencode(aside), _EXCHANGE):
                    break
                count[0] += 1

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield count
    finally:
        ended.set()
        thread.join()


def _more(count: list[int], goal: int) -> bool:
    return count[0] > goal


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Path]:
    """A folder that nobody is to touch, with what somebody would like to be believed."""
    path = tmp_path / "outside"
    path.mkdir()
    (path / "flag").write_text(Flag(run="stolen", application="app1", tag="stolen").to_line())
    (path / "run-v1.json").write_bytes(Result.of(Flag(run="run-v1", application="app0"), "deployed").to_line())
    before = {item.name: item.read_bytes() for item in path.iterdir()}
    yield path
    assert {item.name: item.read_bytes() for item in path.iterdir()} == before


def flag(path: Path) -> None:
    path.write_text(Flag(run="run-odd", application=path.name, tag="odd").to_line())


@pytest.mark.parametrize("kind", KINDS)
def test_a_flag_that_is_something_else_whenever_it_is_looked_at(host: Host, outside: Path, kind: str) -> None:
    host.application("app1")
    host.application("good")
    host.start()
    with swapping(host.volume / "app1", flag, KINDS[kind]) as count:
        for number in range(3):
            host.flag("good", f"v{number}")
            host.state(f"run-v{number}", "deployed")
        until(lambda: count[0] > 1000)
    # Some are claimed before they hold anything.
    assert set(host.runs("app1")) <= {"odd", "none"}
    assert host.runs("good") == ["v0", "v1", "v2"]


def test_a_flag_that_grew_after_it_was_claimed_is_nobodys(host: Host) -> None:
    host.application("app1")
    claim = host.volume / ".running" / f"{1:020d}-00000001"
    claim.mkdir(parents=True, mode=0o700)
    claim.parent.chmod(0o700)
    huge(claim / "app1")
    host.flag("app1", "v1")

    host.once()

    assert host.runs("app1") == ["v1"]
    assert host.claims() == []


@pytest.mark.parametrize("name", OWN)
def test_a_folder_that_is_a_link_whenever_it_is_looked_at(host: Host, outside: Path, name: str) -> None:
    host.application("app1")
    listener = host.start()
    with swapping(host.volume / name, Path.mkdir, lambda path: path.symlink_to(outside)) as count:
        for number in range(20):
            host.flag("app1", f"v{number}")
            (host.volume / f"unknown{number}").touch()
            until(partial(_more, count, count[0] + 200))
    # Whoever can do that can keep deploys from happening. But then it is over, and nothing else has happened.
    away(host.volume / name)
    away(host.volume / f".tmp-other-{name}")
    host.flag("app1", "last")
    host.state("run-last", "deployed", 30)
    assert listener.process.poll() is None


def test_flags_without_pause_are_deployed_one_after_the_other(host: Host) -> None:
    host.application("app1", "mkdir busy || touch overlap; sleep 0.02; rmdir busy")
    host.start()
    for number in range(60):
        host.flag("app1", f"v{number}")
        until(lambda: host.at_top() == [])
    host.state("run-v59", "deployed", 60)
    assert not (host.applications / "app1" / "overlap").exists()
    assert host.runs("app1")[-1] == "v59"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    for number in range(len(KINDS) + len(FORGED) + 1):
        machine.application(f"app{number}")
    server = machine.serve()
    yield machine
    ended = server.poll()
    machine.close()
    assert ended is None
    assert not machine.said("Traceback")


FORGED: tuple[bytes, ...] = (
    b"",
    b"\xff",
    b"[" * 60_000,
    b'{"run": "RUN", "application": "other", "state": "deployed"}',
    b'{"run": "other", "application": "APP", "state": "deployed"}',
    b'{"run": "RUN", "application": "APP", "state": "accepted"}',
    b'{"run": "RUN", "application": "APP", "state": ["deployed"]}',
    b'{"run": "RUN", "application": "APP", "state": "deployed", "duration": "1"}',
    b'{"run": "RUN", "application": "APP", "state": "deployed", "exit_code": true}',
    b'{"run": "RUN", "application": "APP", "state": "deployed"' + b" " * 2_000_000 + b"}",
)


def beat(path: Path) -> None:
    path.write_text('{"last_scan": "2020-01-01T00:00:00Z"}')


def states(machine: Machine) -> dict[str, str]:
    rows = json.loads(machine.command("runs", "list", "--json", "--limit", "100"))["runs"]
    return {row["run"]: row["state"] for row in rows}


def test_results_that_are_none_change_nothing_and_hold_up_nobody(machine: Machine, outside: Path) -> None:
    results = machine.volume / ".results"
    results.mkdir()
    contents: list[Callable[[Path], None] | bytes] = [*KINDS.values(), *FORGED]
    for number, content in enumerate(contents):
        name = f"app{number}"
        run = machine.release(name, "v1").run
        if isinstance(content, bytes):
            given = content.replace(b"RUN", run.encode()).replace(b"APP", name.encode())
            (results / f"{run}.json").write_bytes(given)
        else:
            content(results / f"{run}.json")
    good = machine.release(f"app{len(KINDS) + len(FORGED)}", "v1").run
    until(lambda: states(machine)[good] == "flagged")
    # All results are read in one look.
    line = Result.of(Flag(run=good, application=f"app{len(KINDS) + len(FORGED)}"), "deployed", duration=1.0).to_line()
    (results / f"{good}.json").write_bytes(line)
    until(lambda: states(machine)[good] == "deployed")
    found = states(machine)
    del found[good]
    assert set(found.values()) == {"flagged"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_heartbeat_and_a_flag_that_are_something_else_all_the_time(
    machine: Machine, outside: Path, kind: str
) -> None:
    heartbeat = machine.volume / ".listener.json"
    with (
        swapping(heartbeat, beat, KINDS[kind]) as beats,
        swapping(machine.volume / "app0", flag, KINDS[kind]) as flags,
    ):
        for number in range(10):
            answer = machine.release("app0", f"v{number}", published_at=f"2026-01-01T00:00:{number:02}Z")
            assert answer.code == 202
            assert machine.answers()
            assert not machine.answers("/readyz")
        until(lambda: min(beats[0], flags[0]) > 1000)
    for path in (machine.volume / "app0", machine.volume / ".tmp-other-app0"):
        away(path)
    answer = machine.release("app0", "last", published_at="2026-02-01T00:00:00Z")
    until(lambda: machine.flags() == ["app0"] and answer.run in (machine.volume / "app0").read_text())


def test_the_folder_of_results_that_is_a_link_whenever_it_is_looked_at(machine: Machine, outside: Path) -> None:
    run = machine.release("app0", "v1").run
    (outside / "run-v1.json").rename(outside / "aside")
    forged = Result.of(Flag(run=run, application="app0"), "deployed").to_line()
    target = machine.folder / "forged"
    target.mkdir()
    (target / f"{run}.json").write_bytes(forged)
    (outside / "aside").rename(outside / "run-v1.json")
    with swapping(machine.volume / ".results", Path.mkdir, lambda path: path.symlink_to(target)) as count:
        until(lambda: count[0] > 100_000, 60)
        until(lambda: states(machine)[run] == "flagged")
    assert states(machine)[run] == "flagged"
    assert os.listdir(target) == [f"{run}.json"]
