"""Reading a request's body within bounds of size and time."""

from __future__ import annotations

import asyncio

from starlette.exceptions import HTTPException
from starlette.requests import Request


async def read_body(request: Request, limit: int, seconds: float) -> bytes:
    """The body, unless it is compressed, larger than ``limit`` bytes or slower than ``seconds``.

    :raises HTTPException: 415, 413 or 408; the rest of the body is not read and the connection ends.
    """
    if any(value.strip().lower() != "identity" for value in request.headers.getlist("content-encoding")):
        raise _refusal(request, 415)
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > limit:
        raise _refusal(request, 413)
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise _refusal(request, 413)
    except TimeoutError:
        raise _refusal(request, 408) from None
    return bytes(body)


def _refusal(request: Request, code: int) -> HTTPException:
    # HTTP/2 knows no such header; there the stream alone is reset.
    close = {"Connection": "close"} if request.scope.get("http_version", "1.1") in ("1.0", "1.1") else None
    return HTTPException(code, headers=close)
