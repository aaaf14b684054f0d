"""Reading a request's body within bounds of size, time and memory."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

from starlette.exceptions import HTTPException
from starlette.requests import Request

from duct_tape.errors import UnavailableError, UnsupportedMediaError

# A release has some ten kilobytes. Bodies up to this size need no share of the common memory, so that strangers
# who use all of it up do not keep anybody's release from coming in.
FREE = 128 * 1024


class Memory:
    """What all bodies that are being read or understood may take together, beyond ``FREE`` bytes of each.

    :param limit: bytes.
    """

    def __init__(self, limit: int) -> None:
        self._left = limit

    @contextmanager
    def share(self) -> Iterator[Share]:
        """One request's part; it is given back at the end."""
        share = Share(self)
        try:
            yield share
        finally:
            self._left += share.taken

    def take(self, size: int) -> bool:
        """Whether there were ``size`` bytes left; then they are taken."""
        if size > self._left:
            return False
        self._left -= size
        return True


class Share:
    """What one request has taken of the common memory."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.taken = 0

    def grow(self, size: int) -> None:
        """Take what a body of ``size`` bytes needs.

        :raises UnavailableError: others have it.
        """
        more = size - FREE - self.taken
        if more > 0:
            if not self._memory.take(more):
                raise UnavailableError("too many large requests at once")
            self.taken += more


async def read_body(request: Request, limit: int, seconds: float, share: Share) -> bytes:
    """The body, unless it is larger than ``limit`` bytes, slower than ``seconds`` or one large one too many.

    :raises HTTPException: 413 or 408; the rest of the body is not read and the connection ends.
    :raises UnavailableError: there is no memory for it at the moment.
    """
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > limit:
        raise refusal(413)
    size, body = 0, BytesIO()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                size += len(chunk)
                if size > limit:
                    raise refusal(413)
                share.grow(size)
                body.write(chunk)
    except TimeoutError:
        raise refusal(408) from None
    # Without a copy, unlike that of a bytearray.
    return body.getvalue()


def check_encoding(request: Request) -> None:
    """Refuse a compressed body.

    :raises UnsupportedMediaError: it is one.
    """
    if any(value.strip().lower() != "identity" for value in request.headers.getlist("content-encoding")):
        raise UnsupportedMediaError("the body is compressed, and only a plain one is read")


def refusal(code: int) -> HTTPException:
    """A refusal before the body was read, after which the connection cannot be used any more."""
    return HTTPException(code, headers={"Connection": "close"})
