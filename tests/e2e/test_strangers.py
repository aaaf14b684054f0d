"""Strangers: what a request without a good signature may cost."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.e2e.machine import Machine

SIZE = 25 * 1024 * 1024


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    machine.application("app1")
    yield machine
    machine.close()


def begun(machine: Machine, signature: str) -> socket.socket:
    """A connection on which only the headers were sent."""
    connection = socket.create_connection(("127.0.0.1", machine.port), timeout=20)
    lines = ["POST /integrations/github HTTP/1.1", "Host: x", f"Content-Length: {SIZE}", signature]
    connection.sendall("\r\n".join(line for line in [*lines, "", ""]).encode())
    return connection


@pytest.mark.parametrize("signature", ["X: y", "X-Hub-Signature-256: sha256=00", "X-Hub-Signature: sha1=" + "0" * 40])
def test_without_a_signature_the_body_is_not_waited_for(machine: Machine, signature: str) -> None:
    machine.serve()
    with begun(machine, signature) as connection:
        assert connection.recv(4096).startswith(b"HTTP/1.1 401 ")


def test_many_large_bodies_at_once_take_bounded_memory_and_keep_no_release_out(machine: Machine) -> None:
    server = machine.serve()
    wrong = "X-Hub-Signature-256: sha256=" + "0" * 64

    def stranger(_: int) -> bytes:
        with begun(machine, wrong) as connection:
            try:
                for _ in range(SIZE // 65536):
                    connection.sendall(b"x" * 65536)
                return connection.recv(12)
            except OSError:
                return b"gone"

    with ThreadPoolExecutor(12) as pool:
        strangers = [pool.submit(stranger, number) for number in range(12)]
        assert machine.release("app1", "v1.0.0").code == 202
        answers = {future.result() for future in strangers}
    assert answers <= {b"HTTP/1.1 401", b"HTTP/1.1 503", b"gone", b""}
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{server.pid}/status").read_text())
    assert peak
    assert int(peak[1]) < 256 * 1024
