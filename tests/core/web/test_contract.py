"""The HTTP contract through a real socket: what only a real connection can show."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from tests.server_support import Server, serving

LIMITS = "max_body = 1000\nbody_timeout = 0.3\n"
HOST = "Host: x\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server whose action never ends: no answer waits for it."""
    script = """
    plugins["recorder"] = Recorder(lambda run: asyncio.Event().wait()).module
    """
    with serving(tmp_path_factory.mktemp("server"), LIMITS + "shutdown_timeout = 1", script) as found:
        yield found
        found.process.terminate()
        assert found.ended() == 0
        assert "Traceback" not in found.log


def request(line: str, headers: str = "", body: bytes = b"", close: bool = True) -> bytes:
    end = "Connection: close\r\n" if close else ""
    return f"{line} HTTP/1.1\r\n{HOST}{headers}{end}\r\n".encode() + body


def post(body: bytes, headers: str = "signature: good\r\n", close: bool = True) -> bytes:
    length = f"Content-Length: {len(body)}\r\n"
    return request("POST /integrations/sender", f"Content-Type: application/json\r\n{length}{headers}", body, close)


def delivery(name: str, **members: object) -> bytes:
    return json.dumps({"delivery": name, **members}).encode()


def code(answer: bytes) -> int:
    found = re.match(rb"HTTP/1\.1 (\d+) ", answer)
    assert found, answer
    return int(found[1])


def header(answer: bytes, name: str) -> str:
    found = re.search(rf"(?mi)^{name}: (.*)\r$", answer.partition(b"\r\n\r\n")[0].decode() + "\r")
    return found[1] if found else ""


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("GET /", 200),
        ("GET /healthz", 200),
        ("GET /readyz", 200),
        ("GET /nowhere", 404),
        ("POST /integrations/unknown", 404),
        ("POST /integrations/sender/", 404),
        ("POST /integrations/sender?x=1", 404),
        ("GET /integrations/sender", 405),
        ("POST /healthz", 405),
        ("TRACE /", 405),
        ("POST /%2e%2e/integrations/sender", 404),
    ],
)
def test_a_request_without_a_body(server: Server, line: str, wanted: int) -> None:
    answer = server.exchange(request(line))
    assert code(answer) == wanted
    assert header(answer, "location") == ""
    assert header(answer, "server") == ""
    assert bool(header(answer, "allow")) is (wanted == 405)
    assert header(answer, "content-type") == "application/json"


def test_head_has_no_body(server: Server) -> None:
    answer = server.exchange(request("HEAD /healthz"))
    assert code(answer) == 200
    assert answer.endswith(b"\r\n\r\n")


def test_an_answer_waits_for_no_action(server: Server) -> None:
    answers = [server.exchange(post(delivery("waits", key="waits"))) for _ in range(2)]
    assert [code(answer) for answer in answers] == [202, 200]
    assert b'"status":"duplicate"' in answers[1]


def test_two_deliveries_on_one_connection(server: Server) -> None:
    both = post(delivery("first"), close=False) + post(delivery("second"))
    with server.connect() as connection:
        connection.sendall(both)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.count(b"HTTP/1.1 202 ") == 2


def test_two_deliveries_at_once(server: Server) -> None:
    with server.connect() as one, server.connect() as two:
        parts = [post(delivery(name)) for name in ("one", "two")]
        for connection, part in zip((one, two), parts, strict=True):
            connection.sendall(part[:-5])
        for connection, part in zip((two, one), reversed(parts), strict=True):
            connection.sendall(part[-5:])
            assert code(connection.recv(65536)) == 202


def test_a_wrong_signature_is_401_and_tells_nothing(server: Server) -> None:
    headers = ["", "signature: bad\r\n", "signature: good\r\nsignature: good\r\n"]
    answers = {server.exchange(post(b"{}", header)).partition(b"\r\n\r\n")[2] for header in headers}
    assert answers == {b'{"status":"unauthorized"}'}


def test_what_is_not_json_is_400(server: Server) -> None:
    assert code(server.exchange(post(b"\xff"))) == 400


def test_a_body_that_is_declared_too_large_is_413_before_it_is_sent(server: Server) -> None:
    answer = server.exchange(request("POST /integrations/sender", "Content-Length: 1001\r\n", close=False))
    assert code(answer) == 413
    assert header(answer, "connection") == "close"


def test_a_body_that_grows_too_large_is_413(server: Server) -> None:
    chunk = b"200\r\n" + b"x" * 512 + b"\r\n"
    headers = "Transfer-Encoding: chunked\r\nsignature: good\r\n"
    answer = server.exchange(request("POST /integrations/sender", headers, chunk * 2, close=False))
    assert code(answer) == 413
    assert header(answer, "connection") == "close"


def test_a_compressed_body_is_415(server: Server) -> None:
    signed = "Content-Encoding: gzip\r\nsignature: good\r\n"
    assert code(server.exchange(request("POST /integrations/sender", f"Content-Length: 2\r\n{signed}", b"{}"))) == 415
    assert code(server.exchange(post(b"{}", "Content-Encoding: gzip\r\n", close=False))) == 401


def test_a_slow_body_is_408(server: Server) -> None:
    answer = server.exchange(request("POST /integrations/sender", "Content-Length: 10\r\n", b"123", close=False))
    assert code(answer) == 408
    assert header(answer, "connection") == "close"


def test_a_sender_that_goes_away_leaves_nothing_behind(server: Server) -> None:
    for part in (post(delivery("gone"))[:-5], post(delivery("gone"))[:20], b"\x00\x01\x02"):
        with server.connect() as connection:
            connection.sendall(part)
    # Had the delivery been accepted, it would be a duplicate.
    assert code(server.exchange(post(delivery("gone")))) == 202


@pytest.mark.parametrize(
    "junk",
    [
        b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 100_000 + b"\r\n\r\n",
        b"POST /integrations/sender HTTP/1.1\r\nHost: x\r\nContent-Length: ten\r\n\r\n",
        b"POST /integrations/sender HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"GET /" + b"%ff" * 100 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_junk_is_the_senders_fault(server: Server, junk: bytes) -> None:
    answer = server.exchange(junk)
    assert not answer or 400 <= code(answer) < 500
    assert code(server.exchange(request("GET /healthz"))) == 200
