"""The far side: a server on this machine that keeps what it is sent and answers as it is told, byte by byte."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress

from attrs import define, field, frozen

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def status(code: int, *headers: str, body: str = "") -> bytes:
    """An answer."""
    lines = [f"HTTP/1.1 {code} Text", *headers, f"Content-Length: {len(body.encode())}", "", body]
    return "\r\n".join(lines).encode()


@frozen
class Received:
    """A request as it came."""

    line: str
    headers: Mapping[str, str]
    body: bytes


@define(eq=False)
class Far:
    """Takes one request in each connection.

    :param replies: the next answers, then ``OK``. One that ends with ``…`` is not ended.
    :param context: speaks TLS.
    """

    replies: list[bytes] = field(factory=list)
    context: ssl.SSLContext | None = None
    requests: list[Received] = field(factory=list)
    connections: int = 0
    _socket: socket.socket = field(init=False)
    _released: threading.Event = field(factory=threading.Event, init=False)
    _threads: list[threading.Thread] = field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._start(self._accept)

    @property
    def host(self) -> str:
        """Host and port, as in ``hosts``."""
        return f"127.0.0.1:{self._socket.getsockname()[1]}"

    def close(self) -> None:
        self._released.set()
        # Closing alone does not wake who waits in accept().
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join()

    def _start(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.connections += 1
                self._start(self._serve, connection)

    def _serve(self, plain: socket.socket) -> None:
        # Whoever does not trust the certificate, or gives up, goes away.
        with plain, suppress(OSError):
            connection = self.context.wrap_socket(plain, server_side=True) if self.context else plain
            with connection:
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as file:
            line = file.readline().decode().strip()
            if not line:
                return
            headers = {}
            while text := file.readline().decode().strip():
                name, _, value = text.partition(": ")
                headers[name.lower()] = value
            body = file.read(int(headers.get("content-length", "0")))
        reply = self.replies.pop(0) if self.replies else OK
        self.requests.append(Received(line, headers, body))
        connection.sendall(reply.removesuffix("…".encode()))
        if reply.endswith("…".encode()):
            self._released.wait()
