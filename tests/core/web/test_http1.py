"""What is ambiguous, oversized or no HTTP/1.1 is refused, without a word about why."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from tests.core.web.test_contract import code, delivery, post, request
from tests.server_support import Server, serving

BODY = delivery("d-1", event="ping")
LENGTH = f"Content-Length: {len(BODY)}\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server"), "body_timeout = 1") as found:
        yield found
        assert found.stop() == 0
        assert "Traceback" not in found.log


def raw(
    headers: str, body: bytes = b"", line: str = "POST /integrations/sender HTTP/1.1", host: str = "Host: x"
) -> bytes:
    lines = [line, host, "signature: good", headers, "", ""]
    return "\r\n".join(text for text in lines[:-2] if text).encode("latin-1") + b"\r\n\r\n" + body


CHUNKED = "Transfer-Encoding: chunked"
END = b"0\r\n\r\n"
REFUSED = {
    "length and chunks": (400, raw(f"Content-Length: 3\r\n{CHUNKED}", END)),
    "chunks and length": (400, raw(f"{CHUNKED}\r\nContent-Length: 3", END)),
    "two lengths": (400, raw("Content-Length: 3\r\nContent-Length: 4", b"123")),
    "a list of lengths": (400, raw("Content-Length: 3, 4", b"123")),
    "the same length twice": (400, raw("Content-Length: 3\r\nX: y\r\ncontent-length: 3", b"123")),
    "the same length twice, between bare line feeds": (
        400,
        raw("Content-Length: 3\r\nContent-Length: 3", b"123").replace(b"\r\n", b"\n"),
    ),
    "the same length in a list": (400, raw("Content-Length: 3, 3", b"123")),
    "the same length in a folded list": (400, raw("Content-Length: 3\r\n , 3", b"123")),
    "a folded length": (400, raw("Content-Length:\r\n 3", b"123")),
    "a length with a sign": (400, raw("Content-Length: +3", b"123")),
    "a length below zero": (400, raw("Content-Length: -1")),
    "a hexadecimal length": (400, raw("Content-Length: 0x3", b"123")),
    "a length with an underscore": (400, raw("Content-Length: 1_0", b"123")),
    "an empty length": (400, raw("Content-Length:")),
    "a length without end": (400, raw("Content-Length: " + "9" * 30)),
    "another transfer coding": (501, raw("Transfer-Encoding: gzip, chunked", END)),
    "chunks twice": (501, raw(f"{CHUNKED}\r\n{CHUNKED}", END)),
    "chunks in HTTP/1.0": (400, raw(CHUNKED, END, "POST /integrations/sender HTTP/1.0")),
    "a blank before the colon": (400, raw("Transfer-Encoding : chunked", END)),
    "a chunk's size that is none": (400, raw(CHUNKED, b"zz\r\n")),
    "a chunk's size below zero": (400, raw(CHUNKED, b"-1\r\n")),
    "a chunk's size without end": (400, raw(CHUNKED, b"F" * 30 + b"\r\n")),
    "a chunk's extension without end": (431, raw(CHUNKED, b"1;" + b"a" * 40_000)),
    "trailers without end": (431, raw(CHUNKED, b"0\r\n" + b"a: b\r\n" * 5000)),
    "a carriage return in a value": (400, raw("X: a\rb")),
    "a zero in a value": (400, raw("X: a\0b")),
    "a blank in a name": (400, raw("X y: a")),
    "a line without a colon": (400, raw("Xy")),
    "a folded first header": (400, raw("", line="POST / HTTP/1.1\r\n X: y")),
    "no host": (400, raw("", host="")),
    "two hosts": (400, raw("", host="Host: a\r\nHost: b")),
    "101 headers": (431, raw("\r\n".join(f"X-{number}: a" for number in range(101)))),
    "a long header at once": (431, raw("X: " + "a" * 17_000)),
    "a long header": (431, raw("X: " + "a" * 100_000)),
    "a long target": (431, request("GET /" + "a" * 17_000)),
    "a byte that no URL has": (400, b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a method in lower case": (400, request("get /healthz")),
    "HTTP/0.9": (400, b"GET /\r\n\r\n"),
    "HTTP/1.2": (505, b"GET / HTTP/1.2\r\nHost: x\r\n\r\n"),
    "HTTP/2 at once": (505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0" * 100),
    "TLS": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200),
    "zeros": (400, b"\0" * 100 + b"\r\n\r\n"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_it_is_refused_and_the_connection_ends(server: Server, kind: str) -> None:
    wanted, sent = REFUSED[kind]
    answer = server.exchange(sent)
    assert code(answer) == wanted
    # No word about the cause, and nothing about the server.
    assert re.fullmatch(
        rb"HTTP/1\.1 \d+ \r\ncontent-length: 0\r\n(connection: close\r\n)?date: [^\r]+\r\n(Connection: close\r\n)?\r\n",
        answer,
    )


ACCEPTED = {
    "chunks": raw("Transfer-Encoding: CHUNKED", b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)),
    "a length in the value of another header": raw(f"X: a\r\n Content-Length: 3\r\n{LENGTH}".rstrip(), BODY),
    # h11 takes both of these; no proxy lets them through, and they hide nothing.
    "bare line feeds": raw(LENGTH.rstrip(), BODY).replace(b"\r\n", b"\n"),
    "a folded header": raw(f"X: a\r\n b\r\n{LENGTH}".rstrip(), BODY),
    "an upgrade": raw(f"Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n{LENGTH}".rstrip(), BODY),
}


@pytest.mark.parametrize("kind", ACCEPTED)
def test_it_is_understood_as_one_request(server: Server, kind: str) -> None:
    sent = ACCEPTED[kind]
    with server.connect() as connection:
        connection.sendall(sent + request("GET /nowhere"))
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert re.findall(rb"HTTP/1\.1 (\d+)", answer) == [b"200", b"404"]
    assert b'"pong"' in answer


def test_a_length_in_the_body_or_in_the_next_request_is_not_one_of_the_head(server: Server) -> None:
    body = b"\r\nContent-Length: 1\r\nContent-Length: 1\r\n"
    first = raw(f"Content-Length: {len(body)}", body)
    # All at once: what is behind the head has come when the head is looked at.
    with server.connect() as connection:
        connection.sendall(first + raw(LENGTH.rstrip(), BODY) + raw(LENGTH + LENGTH.rstrip(), BODY))
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert re.findall(rb"HTTP/1\.1 (\d+)", answer) == [b"400", b"200", b"400"]
    assert b'"malformed"' in answer
    assert b'"pong"' in answer


def test_the_body_is_asked_for_only_when_somebody_will_read_it(server: Server) -> None:
    sent = post(BODY, "signature: good\r\nExpect: 100-continue\r\n")
    assert [code(part) for part in server.exchange(sent).split(b"\r\n\r\n", 1)] == [100, 200]


@pytest.mark.parametrize("protocol", ["websocket", "h2c", "tls/1.3", "x" * 100])
def test_no_other_protocol_takes_the_place_of_http_1_1(server: Server, protocol: str) -> None:
    headers = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    lines = f"Connection: Upgrade, close\r\nUpgrade: {protocol}\r\n{headers}"
    for path, wanted in (("/healthz", 200), ("/integrations/sender", 405), ("/nowhere", 404)):
        assert code(server.exchange(request(f"GET {path}", lines, close=False))) == wanted


def test_an_answer_to_a_body_in_many_pieces_that_nobody_reads_ends_the_connection(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(raw(CHUNKED, b"1\r\nx\r\n" * 5000, "POST /healthz HTTP/1.1"))
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert code(answer) == 405


def test_many_requests_at_once_are_answered_one_after_the_other(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(request("GET /healthz", close=False) * 500 + request("GET /nowhere"))
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert re.findall(rb"HTTP/1\.1 (\d+)", answer) == [b"200"] * 500 + [b"404"]
