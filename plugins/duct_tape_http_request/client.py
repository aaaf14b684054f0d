"""Sending a request, and what its answer comes to."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from contextlib import suppress
from datetime import UTC
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import define, field

from duct_tape.api import TransientError
from duct_tape_http_request.request import Request

if TYPE_CHECKING:
    import httpx2

# More of an answer is neither read nor waited for.
MAX_BYTES = 16 * 1024


@define
class Answer:
    """What the other side said.

    :param after: seconds after which it wants to be asked again.
    """

    status: int
    after: float = 0.0
    body: bytearray = field(factory=bytearray, repr=False)


async def exchange(request: Request, seconds: float, ca: Path | None) -> Answer:
    """The answer. Its status counts, also where its body does not come.

    :param seconds: for everything, slow trickles included.
    :raises TransientError: there is none.
    :raises OSError: ``ca`` cannot be read.
    """
    # In a thread: importing the library and reading all the certificates takes a while.
    client = await asyncio.to_thread(_made, seconds, ca)
    answers: list[Answer] = []
    try:
        async with asyncio.timeout(seconds), client:
            await _sent(client, request, answers)
    except TimeoutError:
        if not answers:
            raise TransientError(f"{request.shown} did not answer within {seconds:g} seconds") from None
    return answers[0]


async def _sent(client: httpx2.AsyncClient, request: Request, answers: list[Answer]) -> None:
    import httpx2

    url, headers = request.address.url, dict(request.headers)
    try:
        async with client.stream(request.method, url, headers=headers, content=request.body or None) as response:
            answers.append(Answer(response.status_code, retry_after(response.headers.get("retry-after", ""))))
            async for chunk in response.aiter_raw():
                answers[0].body += chunk[: MAX_BYTES - len(answers[0].body)]
                if len(answers[0].body) >= MAX_BYTES:
                    break
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        if not answers:
            # Only the errors of the network say more: the others may quote the request.
            known = isinstance(error, httpx2.ConnectError | httpx2.ReadError | httpx2.RemoteProtocolError)
            why = request.masked(str(error))[:200] if known else ""
            cause = f"{type(error).__name__}: {why}" if why else type(error).__name__
            raise TransientError(f"{request.shown} cannot be reached ({cause})") from None


def _made(seconds: float, ca: Path | None) -> httpx2.AsyncClient:
    # Here and not above: it takes a fifth of a second and 16 MB, which nobody needs who calls nobody.
    import httpx2

    # One line for each request is nothing that an operator wants to read, and more than one may hold its headers.
    for name in ("httpx2", "httpcore2"):
        logging.getLogger(name).setLevel(logging.WARNING)
    verify = trusted(ca) if ca else True
    # Whatever the environment says of proxies and certificates: what is called is what the list of hosts was asked.
    return httpx2.AsyncClient(timeout=seconds, verify=verify, trust_env=False, follow_redirects=False)


def trusted(ca: Path) -> ssl.SSLContext:
    """TLS as usual, with other authorities.

    :raises OSError: the file cannot be read, or holds none.
    """
    return ssl.create_default_context(cafile=ca)


def retry_after(text: str) -> float:
    """The seconds that the header ``Retry-After`` asks for; 0 where it makes no sense."""
    # Digits only: float() takes more than that.
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    with suppress(ValueError, TypeError, IndexError, OverflowError):
        found = parsedate_to_datetime(text[:100])
        moment = found if found.tzinfo else found.replace(tzinfo=UTC)
        return max(0.0, moment.timestamp() - time.time())
    return 0.0
