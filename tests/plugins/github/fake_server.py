"""The fake of GitHub's API on a socket: what HTTP adds to its answers."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from tests.plugins.github.fake_github import Answer, Asked, FakeGitHub, reset
from tests.plugins.github.fake_github import answer as answer_of


@contextmanager
def serving(github: FakeGitHub) -> Iterator[FakeGitHub]:
    """The fake on a free port."""

    class Handler(_Handler):
        fake = github

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            # A client that gave up is part of the tests.
            pass

    server = Server(("127.0.0.1", 0), Handler)
    github.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield github
    finally:
        for gate in github.gates.values():
            gate.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake: FakeGitHub

    def do_GET(self) -> None:
        self._handle(b"")

    def do_POST(self) -> None:
        self._handle(self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, *_: object) -> None:
        pass

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(self.fake.clock() if timestamp is None else timestamp)

    def _handle(self, content: bytes) -> None:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = json.loads(content) if content else {}
        asked = Asked(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body)
        with self.fake.changed:
            scripted = self.fake.script.get(asked.path)
            answer = scripted.pop(0) if scripted else None
        if gate := self.fake.gates.get(asked.path):
            gate.wait(10)
        with self.fake.changed:
            self.fake.asked.append(asked)
            answer = answer or self._limited() or answer_of(self.fake, asked)
            self.fake.changed.notify_all()
        self._send(answer, headers)

    def _limited(self) -> Answer | None:
        if self.fake.limit is None:
            return None
        self.fake.limit -= 1
        if self.fake.limit >= 0:
            return None
        message = "API rate limit exceeded for user ID 1."
        return Answer(403, {"message": message}, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset()})

    def _send(self, answer: Answer, headers: Mapping[str, str]) -> None:
        content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        etag = f'W/"{hashlib.sha256(content).hexdigest()}"'
        same = answer.status == 200 and headers.get("if-none-match") == etag
        remaining = self.fake.limit if self.fake.limit is not None else 4999
        more = {"X-RateLimit-Remaining": str(max(0, remaining)), "X-RateLimit-Reset": reset(), **answer.headers}
        if same and self.fake.limit is not None:
            self.fake.limit += 1
        self.send_response(304 if same else answer.status)
        if answer.status == 200:
            more["ETag"] = etag
        if not same:
            more.setdefault("Content-Length", str(len(content)))
        for name, value in more.items():
            self.send_header(name, value)
        self.end_headers()
        if not same:
            self.wfile.write(content)
