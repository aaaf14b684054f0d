"""Receivers on this machine: a web server and a mail server."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator

import pytest
from aiosmtpd.controller import Controller
from tests.notify_support import Mailbox, Web
from tests.server_support import free_port


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


@pytest.fixture
def mail() -> Iterator[tuple[Mailbox, int]]:
    """A mail server and its port."""
    mailbox, port = Mailbox(), free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield mailbox, port
    controller.stop()
