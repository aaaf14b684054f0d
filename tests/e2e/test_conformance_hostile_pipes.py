"""The listener's contract, in both of its forms: a pipe in the place of a file makes nobody wait."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.listener_support import Host

from duct_tape.flags import Flag

# Swaps two names in one step, as often as a file can be looked at.
_renameat2 = ctypes.CDLL(None).renameat2
_HERE, _EXCHANGE = -100, 2


def test_a_result_that_becomes_a_pipe_while_it_is_looked_at(host: Host) -> None:
    host.application("app1")
    running, result = host.volume / ".running", host.volume / ".results" / "run-1.json"
    running.mkdir(mode=0o700)
    running.chmod(0o700)
    result.parent.mkdir()
    for number in range(30):
        claim = running / f"{number:020d}-00000001"
        claim.mkdir(mode=0o700)
        (claim / "app1").write_text(Flag(run="run-1", application="app1", tag="v1").to_line())

    with _meanwhile(lambda: _file_and_pipe(result)):
        host.once()

    assert host.runs("app1") == ["v1"]
    assert host.claims() == []


def test_a_pipe_in_the_place_of_a_log(host: Host) -> None:
    host.application("app1", "head -c 300000 /dev/zero")
    log = host.volume / ".results" / "run-v1.log"
    log.parent.mkdir()
    host.flag("app1", "v1")

    with _meanwhile(lambda: os.mkfifo(log)):
        assert host.once()[0] == 0

    assert host.result("run-v1")["state"] == "deployed"


def _file_and_pipe(path: Path) -> None:
    aside = path.with_name(".aside")
    for old in (aside, path):
        old.unlink(missing_ok=True)
    os.mkfifo(aside)
    path.touch()
    for _ in range(1000):
        _renameat2(_HERE, os.fsencode(path), _HERE, os.fsencode(aside), _EXCHANGE)


@contextmanager
def _meanwhile(happens: Callable[[], None]) -> Iterator[None]:
    """Let something happen again and again, as often as it can."""
    end = threading.Event()

    def work() -> None:
        while not end.is_set():
            with suppress(OSError):
                happens()

    beside = threading.Thread(target=work)
    beside.start()
    try:
        yield
    finally:
        end.set()
        beside.join()
