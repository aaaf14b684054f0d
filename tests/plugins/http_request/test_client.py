"""Requests over real connections: what is read, what is not, and how long that takes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest
from tests.plugins.http_request.far import Far, status
from tests.server_support import free_port

from duct_tape.api import TransientError
from duct_tape_http_request.address import parse
from duct_tape_http_request.client import MAX_BYTES, Answer, exchange, retry_after
from duct_tape_http_request.request import Request

SECRET = "t0psecret-token"


def sent(url: str, method: str = "POST", seconds: float = 10.0, ca: Path | None = None) -> Answer:
    request = Request(
        method=method,
        address=parse(url),
        shown=parse(url).origin,
        headers={"Authorization": SECRET, "X-A": "b"},
        body=b"body" if method == "POST" else b"",
        secrets=(SECRET,),
    )
    return asyncio.run(exchange(request, seconds, ca))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "GET"])
def test_what_is_sent_arrives(far: Far, method: str) -> None:
    answer = sent(f"http://{far.host}/jobs?x=%2F", method)
    assert (answer.status, bytes(answer.body)) == (200, b"ok")
    (request,) = far.requests
    assert request.line == f"{method} /jobs?x=%2F HTTP/1.1"
    assert request.headers["host"] == far.host
    assert (request.headers["authorization"], request.headers["x-a"]) == (SECRET, "b")
    assert request.body == (b"body" if method == "POST" else b"")


def test_redirects_are_not_followed(far: Far) -> None:
    far.replies = [status(307, f"Location: http://{far.host}/elsewhere")]
    assert sent(f"http://{far.host}/").status == 307
    assert far.connections == 1


def test_only_the_beginning_of_an_answer_is_read(far: Far) -> None:
    far.replies = [b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 300_000 + "…".encode()]
    began = time.monotonic()
    assert bytes(sent(f"http://{far.host}/").body) == b"x" * MAX_BYTES
    assert time.monotonic() - began < 5


def test_what_is_packed_stays_packed(far: Far) -> None:
    far.replies = [status(200, "Content-Encoding: gzip", body="no gzip")]
    assert bytes(sent(f"http://{far.host}/").body) == b"no gzip"


@pytest.mark.parametrize("said", ["…", "HTTP/1.1 200 OK\r\nX-Slow: …"])
def test_without_a_status_the_time_ends_it(far: Far, said: str) -> None:
    far.replies = [said.encode()]
    with pytest.raises(TransientError, match=r"http://127\.0\.0\.1:\d+ did not answer within 0\.2 seconds"):
        sent(f"http://{far.host}/", seconds=0.2)


@pytest.mark.parametrize("rest", ["Content-Length: 10\r\n\r\nhalf…", "Content-Length: 10\r\n\r\nhalf"])
def test_a_status_counts_although_the_body_does_not_come(far: Far, rest: str) -> None:
    far.replies = [f"HTTP/1.1 201 Created\r\n{rest}".encode()]
    assert sent(f"http://{far.host}/", seconds=0.5).status == 201


@pytest.mark.parametrize(
    "said",
    [
        "",
        "not HTTP at all\r\n\r\n",
        f"HTTP/1.1 200 OK\r\n{SECRET}\r\n\r\n",
        "HTTP/1.1 200 OK\r\n" + "X: y\r\n" * 99_999,
    ],
)
def test_what_is_no_answer_is_worth_another_try(far: Far, said: str) -> None:
    far.replies = [said.encode()]
    with pytest.raises(TransientError, match="cannot be reached") as caught:
        sent(f"http://{far.host}/")
    assert SECRET not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_nobody_there_is_worth_another_try() -> None:
    with pytest.raises(TransientError, match=r"cannot be reached \(ConnectError"):
        sent(f"http://127.0.0.1:{free_port()}/")


@pytest.fixture
def elsewhere(far: Far, monkeypatch: pytest.MonkeyPatch) -> Iterator[Far]:
    """A proxy that the environment names."""
    with monkeypatch.context() as patch:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            patch.setenv(name, f"http://{far.host}")
        patch.delenv("no_proxy", raising=False)
        yield far


def test_proxies_of_the_environment_are_not_asked(elsewhere: Far) -> None:
    there = Far()
    try:
        assert sent(f"http://{there.host}/").status == 200
    finally:
        there.close()
    assert (len(there.requests), elsewhere.connections) == (1, 0)


def test_a_certificate_that_nobody_vouches_for_is_refused(
    far_tls: Far, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        # What the environment says of certificates counts as little.
        patch.setenv("SSL_CERT_FILE", str(certificate))
        with pytest.raises(TransientError, match=r"(?i)certificate"):
            sent(f"https://{far_tls.host}/")
    assert not far_tls.requests


def test_with_its_authority_it_is_accepted(far_tls: Far, certificate: Path) -> None:
    assert sent(f"https://{far_tls.host}/", ca=certificate).status == 200


def test_the_certificate_has_to_be_for_this_host(far_tls: Far, certificate: Path) -> None:
    with pytest.raises(TransientError, match=r"(?i)certificate"):
        sent(f"https://localhost:{far_tls.host.partition(':')[2]}/", ca=certificate)
    assert not far_tls.requests


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("", 0), ("0", 0), ("120", 120), ("-1", 0), ("1.5", 0), ("inf", 0), ("٣", 0), ("9" * 30, 0), ("soon", 0),
     ("Thu, 01 Jan 1970 00:00:00 GMT", 0)],
)  # fmt: skip
def test_when_to_come_again(text: str, seconds: float) -> None:
    assert retry_after(text) == seconds


def test_a_date_is_a_time_to_come_again() -> None:
    assert 80 < retry_after(formatdate(time.time() + 90, usegmt=True)) <= 90
    assert 80 < retry_after(formatdate(time.time() + 90)) <= 90
