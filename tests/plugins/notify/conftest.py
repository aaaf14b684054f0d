"""Receivers on this machine: a web server and a mail server that keep what they are sent."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from attrs import define, field
from tests.server_support import free_port

# Long enough to be found wherever it gets out.
TOKEN = "t0psecrettokenofthechannel"


@define(eq=False)
class Web:
    """A web server.

    :param codes: the next answers; then 200.
    :param hold: while it is set, nothing is answered.
    """

    port: int = 0
    codes: list[int] = field(factory=list)
    hold: threading.Event = field(factory=threading.Event)
    requests: list[tuple[str, Any]] = field(factory=list)
    arrived: threading.Condition = field(factory=threading.Condition)
    released: threading.Event = field(factory=threading.Event)

    def url(self, kind: str = "json") -> str:
        """An apprise URL with a token in it."""
        return f"{kind}://user:{TOKEN}@127.0.0.1:{self.port}/{TOKEN}"

    def wait(self, count: int, seconds: float = 15.0) -> list[Any]:
        """What was sent, once there are so many requests."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.requests) >= count, seconds), self.requests
            return [content for _, content in self.requests]

    def take(self, path: str, content: Any) -> int:
        with self.arrived:
            self.requests.append((path, content))
            self.arrived.notify_all()
            code = self.codes.pop(0) if self.codes else 200
        if self.hold.is_set():
            self.released.wait()
        return code


@pytest.fixture
def web() -> Iterator[Web]:
    mine = Web()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            is_json = "json" in self.headers["Content-Type"]
            code = mine.take(self.path, json.loads(body) if is_json else body.decode())
            try:
                self.send_response(code)
                self.send_header("Content-Length", "0")
                self.end_headers()
            except OSError:
                # Whoever asked was killed meanwhile.
                self.close_connection = True

        def log_message(self, *arguments: object) -> None:
            """Nothing on the terminal."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    mine.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield mine
    mine.released.set()
    server.shutdown()
    server.server_close()
    thread.join()


class Mailbox:
    """Takes mail in."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []
        self.arrived = threading.Event()

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:
        self.mails.append(envelope.content)
        self.arrived.set()
        return "250 OK"


@pytest.fixture
def mail() -> Iterator[tuple[Mailbox, int]]:
    """A mail server and its port."""
    mailbox, port = Mailbox(), free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield mailbox, port
    controller.stop()
