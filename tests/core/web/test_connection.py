"""Over real sockets: whatever a connection waits for has an end, and too many of them keep nobody out."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.core.web.test_contract import code, delivery, post, request
from tests.server_support import Server, free_port, serving

# Short, and far enough from each other to be told apart on a busy machine.
LIMITS = "header_timeout = 0.5\nidle_timeout = 0.5\nbody_timeout = 0.5\nrequest_timeout = 3\nmax_connections = 20\n"
LONG = 10.0

ENDLESS = """
from starlette.responses import StreamingResponse
from starlette.routing import Route

async def endless():
    while True:
        yield b"x" * 65536

async def slowly():
    while True:
        yield b"line"
        await asyncio.sleep(0.01)

async def silent(request):
    await asyncio.Event().wait()

plugins["endless"] = plugin(
    routes=lambda ctx: [
        Route("/", lambda request: StreamingResponse(endless())),
        Route("/post", lambda request: StreamingResponse(slowly()), methods=["POST"]),
        Route("/silent", silent),
    ]
)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server"), LIMITS + "[plugins.endless]", ENDLESS) as found:
        yield found
        assert found.stop() == 0
        assert "Traceback" not in found.log


def drip(connection: socket.socket, data: bytes, wait: float = 0.1) -> None:
    """Send a byte now and then, from beside, until there is nobody any more."""

    def send() -> None:
        for byte in data:
            try:
                connection.sendall(bytes([byte]))
            except OSError:
                return
            time.sleep(wait)

    threading.Thread(target=send, daemon=True).start()


def rest(connection: socket.socket) -> bytes:
    """All that the server sends until it closes the connection."""
    answer = b""
    try:
        while part := connection.recv(65536):
            answer += part
    except ConnectionError:
        pass
    return answer


def seconds(connection: socket.socket) -> float:
    """How long the server keeps the connection."""
    began = time.monotonic()
    connection.settimeout(LONG)
    rest(connection)
    return time.monotonic() - began


def test_a_connection_on_which_nothing_comes_is_closed(server: Server) -> None:
    with server.connect() as connection:
        assert 0.3 < seconds(connection) < LONG


def test_headers_that_come_byte_by_byte_are_given_up(server: Server) -> None:
    with server.connect() as connection:
        drip(connection, request("GET /healthz", "X: " + "a" * 500))
        assert 0.3 < seconds(connection) < LONG


def test_the_headers_of_a_second_request_have_no_more_time(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(request("GET /healthz", close=False) + b"GET ")
        assert code(connection.recv(65536)) == 200
        drip(connection, b"/healthz" * 100)
        assert 0.3 < seconds(connection) < LONG


def test_a_connection_is_kept_for_a_while(server: Server) -> None:
    with server.connect() as connection:
        for _ in range(3):
            connection.sendall(request("GET /healthz", close=False))
            answer = b""
            while not answer.endswith(b"}"):
                answer += connection.recv(65536)
            assert code(answer) == 200
        assert 0.3 < seconds(connection) < LONG


def test_a_body_that_comes_byte_by_byte_is_given_up(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(post(b"x" * 500)[:-500])
        drip(connection, b"x" * 500)
        assert code(rest(connection)) == 408


def test_chunks_that_come_byte_by_byte_are_given_up(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(request("POST /integrations/sender", "signature: good\r\nTransfer-Encoding: chunked\r\n"))
        drip(connection, b"1\r\nx\r\n" * 100)
        assert code(rest(connection)) == 408


def test_an_answer_that_nobody_takes_is_given_up(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(request("GET /integrations/endless"))
        time.sleep(4)  # the limit for the request is over, and nothing was read
        taken = len(rest(connection))
    assert 0 < taken < 100 * 2**20


def test_a_request_that_has_no_answer_is_given_up(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(request("GET /integrations/endless/silent"))
        assert 1 < seconds(connection) < LONG


def test_an_early_answer_reaches_a_sender_that_is_still_sending(server: Server) -> None:
    for _ in range(20):
        with server.connect() as connection:
            connection.sendall(
                post(b"x" * 100_000, "signature: good\r\n").replace(b"POST /integrations/", b"POST /nowhere/")
            )
            connection.sendall(b"x" * 100_000)
            assert code(rest(connection)) == 404


def test_idle_and_half_sent_connections_keep_no_release_out(server: Server) -> None:
    with ExitStack() as stack:
        for number in range(60):
            connection = stack.enter_context(server.connect())
            connection.sendall([b"", b"GET /", post(b"x" * 9)[:-5]][number % 3])
        assert code(server.exchange(post(delivery("d-1")))) == 202
    server.wait_for("too many connections: ", 30)


def own_address() -> str:
    """An address of this machine that is not its loopback address; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        found: str = probe.getsockname()[0]
        return found


def test_one_address_has_a_limit_of_its_own_and_the_loopback_address_has_not(tmp_path: Path) -> None:
    address = own_address()
    if address.startswith("127."):
        pytest.skip("this machine has no other address")
    port = free_port()
    text = f'bind = ["0.0.0.0:{port}"]\nmax_connections_per_address = 3\n'
    with serving(tmp_path, text) as server, ExitStack() as stack:
        local = [stack.enter_context(socket.create_connection(("127.0.0.1", port), LONG)) for _ in range(5)]
        others = [stack.enter_context(socket.create_connection((address, port), LONG)) for _ in range(5)]
        assert [rest(connection) for connection in others[:2]] == [b"", b""]
        for connection in [*local, *others[2:]]:
            connection.sendall(request("GET /healthz"))
            assert code(rest(connection)) == 200
        assert server.stop() == 0


def test_a_body_that_turns_out_to_be_none_ends_an_answer_that_has_begun(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(request("POST /integrations/endless/post", "Transfer-Encoding: chunked\r\n", close=False))
        assert connection.recv(12) == b"HTTP/1.1 200"
        connection.sendall(b"no size\r\n")
        rest(connection)
    assert code(server.exchange(request("GET /healthz"))) == 200
