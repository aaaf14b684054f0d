"""The server that is fuzzed over its socket, and what is known of it."""

from __future__ import annotations

import json
import re
import signal
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from duct_tape_github.sample import release_payload
from fuzzing.oracle import hold
from proofs.machine import SECRET, Machine

# What the documentation of HTTP says, and what Hypercorn answers to what is not HTTP: 501 only to a transfer coding
# that it does not know, as RFC 9112, 6.1 asks for, and 505 to another version of HTTP.
KNOWN = {200, 202, 400, 401, 404, 405, 408, 411, 413, 414, 415, 417, 421, 429, 431, 501, 503, 505}
PATIENCE = 20.0
# When all releases are published, one microsecond after the other.
SECOND = "2026-01-02T03:04:05"
SILENCE = 0.1
MOST_RECEIVED = 1024 * 1024
# How a connection begins on which the server speaks HTTP/2, as it was asked to.
HTTP2 = b"\0\0"
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


class Fuzzed:
    """A server without a listener, so that its flags stay.

    :ivar accepted: application and tag of every release that may be deployed.
    :ivar answers: how often each status was answered; 0 is a connection that was closed without one.
    """

    def __init__(self, folder: Path) -> None:
        self.machine = Machine(folder, 3)
        self.accepted: set[tuple[str, str]] = set()
        self.answers = Counter[int]()
        self.count = 0

    def __enter__(self) -> Self:
        with (self.machine.folder / "duct_tape.toml").open("a") as file:
            # A section that has just begun: that of the last repository.
            file.write("prereleases = true\n")
        self.machine.server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.machine.close()

    def number(self) -> int:
        """A number that no other request has."""
        self.count += 1
        return self.count

    def payload(self, application: str, tag: str, **settings: Any) -> dict[str, Any]:
        """A release that nothing is newer than."""
        when = f"{SECOND}.{self.count % 1_000_000:06d}Z"
        return release_payload(f"acme/{application}", tag=tag, published_at=when, **settings)

    def exchange(self, request: bytes, pieces: int = 1, expected: int = 0) -> list[tuple[int, bytes]]:
        """Send it, and no more; what comes back until the connection ends.

        :param pieces: how many writes it is sent in.
        :param expected: that many answers are waited for. Otherwise it is the server that ends the connection, or a
            moment of silence.
        """
        received = b""
        timeout = PATIENCE if expected else SILENCE
        with socket.create_connection(("127.0.0.1", self.machine.port), timeout=timeout) as connection:
            # The server may refuse before all is sent.
            with suppress(OSError):
                size = max(1, -(-len(request) // pieces))
                for at in range(0, len(request), size):
                    connection.sendall(request[at : at + size])
            with suppress(OSError):
                while (more := connection.recv(65536)) and len(received) < MOST_RECEIVED:
                    received += more
                    if expected and len(list(_answers(received))) == expected:
                        break
        found = list(_answers(received))
        self.answers.update([status for status, _ in found] or [0])
        for status, _ in found:
            hold(status in KNOWN, f"the status {status}")
        return found

    def look(self) -> None:
        """Check that the server lives, and that nothing was flagged that may not be."""
        hold(self.machine.server.alive, f"the server ended: {self.machine.server.log()}")
        for application, tag in self.flags():
            hold((application, tag) in self.accepted, f"a flag for {application} {tag}")

    def flags(self) -> Iterator[tuple[str, str]]:
        """Application and tag of every flag."""
        for path in self.machine.volume.iterdir():
            if not path.name.startswith("."):
                flag = json.loads(path.read_bytes())
                hold(path.name == flag["application"], f"a flag called {path.name}")
                yield flag["application"], flag["tag"]

    def ends(self) -> str:
        """End it as an operator does; a sentence when it does not go well, or its log holds a secret or an accident."""
        process = self.machine.server.process
        self.machine.server.kill(signal.SIGTERM)
        log = (self.machine.folder / "server.log").read_text(errors="replace")
        for word in ("Traceback", "fault of Duct Tape", "the integration failed", SECRET.decode()):
            if word in log:
                return f"the log says {word!r}: …{log[max(0, log.find(word) - 500) :][:2000]}"
        code = process.returncode if process else None
        return f"it ended with exit code {code}" if code else ""


def _answers(received: bytes) -> Iterator[tuple[int, bytes]]:
    """Status and body of each answer on one connection."""
    while received and not received.startswith(HTTP2):
        head, separator, rest = received.partition(b"\r\n\r\n")
        found = _STATUS.match(head)
        hold(found, f"not an answer: {received[:200]!r}")
        if not separator:
            return
        length = re.search(rb"\r\ncontent-length: (\d+)", head, re.IGNORECASE)
        size = int(length[1]) if length else 0
        if len(rest) < size:
            return
        if found and found[1] != b"100":
            yield int(found[1]), rest[:size]
        received = rest[size:]
