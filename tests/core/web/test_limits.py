"""A body is read within bounds of size and time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from duct_tape.errors import UnavailableError, UnsupportedMediaError
from duct_tape.web.limits import FREE, Memory, check_encoding, read_body

LIMIT = 10


def read(chunks: Iterable[bytes | None], seconds: float = 5.0, version: str = "1.1", **headers: str) -> bytes:
    """Read a body that comes in chunks; None stands for a sender that goes silent."""
    waiting = list(chunks)

    async def receive() -> Any:
        chunk = waiting.pop(0) if waiting else b""
        if chunk is None:
            await asyncio.Event().wait()
        if chunk == b"gone":
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": chunk, "more_body": bool(waiting)}

    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "POST", "http_version": version, "headers": pairs}
    with Memory(0).share() as share:
        return asyncio.run(read_body(Request(scope, receive), LIMIT, seconds, share))


def refused(code: int, *arguments: Any, **headers: Any) -> dict[str, str]:
    with pytest.raises(HTTPException) as caught:
        read(*arguments, **headers)
    assert caught.value.status_code == code
    return dict(caught.value.headers or {})


@pytest.mark.parametrize(
    "headers", [{}, {"content_length": "10"}, {"content_length": "ten"}, {"content_encoding": "Identity"}]
)
def test_a_body_up_to_the_limit_is_read(headers: dict[str, Any]) -> None:
    assert read([b"01234", b"56789"], **headers) == b"0123456789"
    assert read([]) == b""


def test_a_body_that_is_declared_too_large_is_not_read_at_all() -> None:
    for length in ("11", "9" * 100):
        assert refused(413, [None], content_length=length) == {"Connection": "close"}


def test_a_body_that_grows_too_large_is_cut_off() -> None:
    assert refused(413, [b"0123456789", b"0", None]) == {"Connection": "close"}


def encoded(*values: bytes) -> Request:
    return Request({"type": "http", "headers": [(b"content-encoding", value) for value in values]})


@pytest.mark.parametrize("values", [(b"gzip",), (b"br",), (b"identity, gzip",), (b"",), (b"identity", b"gzip")])
def test_a_compressed_body_is_refused(values: tuple[bytes, ...]) -> None:
    with pytest.raises(UnsupportedMediaError, match="the body is compressed"):
        check_encoding(encoded(*values))


def test_a_plain_body_is_none() -> None:
    check_encoding(encoded())
    check_encoding(encoded(b"Identity", b" identity "))


def test_small_bodies_need_no_share_and_large_ones_take_what_is_there() -> None:
    memory = Memory(100)
    with memory.share() as one, memory.share() as other:
        one.grow(FREE + 60)
        one.grow(FREE + 60)  # takes nothing twice
        other.grow(FREE)
        with pytest.raises(UnavailableError, match="too many large requests at once"):
            other.grow(FREE + 41)
        other.grow(FREE + 40)
    with memory.share() as again:
        again.grow(FREE + 100)


def test_a_slow_body_is_given_up() -> None:
    assert refused(408, [b"012", None], 0.01) == {"Connection": "close"}


def test_a_sender_that_goes_away_is_not_a_body() -> None:
    with pytest.raises(ClientDisconnect):
        read([b"012", b"gone"])
