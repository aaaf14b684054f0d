"""GitHub's REST API: a client that is polite, patient and suspicious.

https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urljoin

from attrs import define, field, frozen

from duct_tape.api import MalformedError, Secret
from duct_tape_github.answers import Page, next_page, objects, origin, parse_value
from duct_tape_github.conf import is_loopback
from duct_tape_github.errors import ApiError, Refused
from duct_tape_github.limits import Limits, date

if TYPE_CHECKING:
    import httpx2

# Everything that one request may take, slow trickles included.
SECONDS = 20.0
MAX_BYTES = 10 * 1024 * 1024
MAX_REDIRECTS = 3
MAX_REMEMBERED = 100
MAX_REMEMBERED_BYTES = 256 * 1024


@frozen
class _Remembered:
    """An answer with its ETag: asking again costs nothing as long as it holds."""

    etag: str
    link: str
    body: bytes = field(repr=False)


@define(eq=False)
class Api:
    """The REST API, with one token or none. An asynchronous context manager.

    :param url: its root, such as ``https://api.github.com``.
    :param seconds: how long one request may take.
    """

    url: str
    token: Secret | None
    seconds: float = SECONDS
    _client: httpx2.AsyncClient | None = field(default=None, init=False, repr=False)
    _limits: Limits = field(factory=Limits, init=False)
    # GitHub's clock at the moment when ours that only goes forward showed nothing.
    _zero: float | None = field(default=None, init=False)
    _remembered: dict[str, _Remembered] = field(factory=dict, init=False, repr=False)

    @property
    def source(self) -> str:
        """Where the token comes from, for messages."""
        return self.token.source if self.token else "configuration"

    async def __aenter__(self) -> Api:
        # Reading all the certificates takes a while too.
        self._client = await asyncio.to_thread(self._made)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _made(self) -> httpx2.AsyncClient:
        # Here and not above: it takes a fifth of a second and 16 MB, which nobody without a token needs.
        import httpx2

        # One line for each request is nothing that an operator wants to read.
        for name in ("httpx2", "httpcore2"):
            logging.getLogger(name).setLevel(logging.WARNING)
        # A proxy for the rest of the world does not reach this machine's own addresses.
        return httpx2.AsyncClient(timeout=self.seconds, trust_env=not is_loopback(self.url))

    def now(self) -> float:
        """The time by GitHub's clock, as its last answer told it; before that by this machine's, which may be wrong."""
        return time.time() if self._zero is None else self._zero + time.monotonic()

    async def get(self, path: str, **parameters: object) -> Any:
        """The decoded answer.

        :raises ApiError: there is none.
        """
        body, _ = await self._read(self._address(path, parameters))
        return _decoded(body)

    async def pages(self, path: str, limit: int, **parameters: object) -> AsyncIterator[Page]:
        """The pages of a list, as long as somebody asks for one.

        :param limit: no more than so many.
        :raises ApiError: one cannot be had.
        """
        address = self._address(path, parameters)
        for _ in range(limit):
            body, link = await self._read(address)
            try:
                page = Page(items=objects(_decoded(body)), next=next_page(link, address))
            except MalformedError as error:
                raise ApiError(str(error)) from None
            yield page
            if not page.next:
                return
            address = page.next

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """The decoded answer to an order, which is given once.

        :raises ApiError: it was refused, or nobody knows what became of it.
        """
        content = json.dumps(body).encode("utf-8")
        status, answer, _ = await self._exchange("POST", self._address(path, {}), {}, content)
        if status >= 300:
            raise Refused(status, "the repository was renamed or moved")
        return _decoded(answer)

    def _address(self, path: str, parameters: Mapping[str, object]) -> str:
        query = f"?{urlencode(parameters)}" if parameters else ""
        return f"{self.url.rstrip('/')}{path}{query}"

    async def _read(self, address: str) -> tuple[bytes, str]:
        known = self._remembered.get(address)
        headers = {"If-None-Match": known.etag} if known else {}
        for _ in range(MAX_REDIRECTS + 1):
            status, body, given = await self._exchange("GET", address, headers)
            if status == 304 and known:
                return known.body, known.link
            if status not in (301, 302, 307, 308):
                self._remember(address, given, body)
                return body, given.get("link", "")
            # A repository that was renamed. The token is for one server and goes to no other.
            target = _target(address, given.get("location", ""))
            if target is None:
                raise ApiError("GitHub redirects to another server, where the token does not belong")
            address = target
        raise ApiError("GitHub redirects in a circle")

    def _remember(self, address: str, headers: Mapping[str, str], body: bytes) -> None:
        self._remembered.pop(address, None)
        if (etag := headers.get("etag")) and len(body) <= MAX_REMEMBERED_BYTES:
            self._remembered[address] = _Remembered(etag, headers.get("link", ""), body)
            if len(self._remembered) > MAX_REMEMBERED:
                del self._remembered[next(iter(self._remembered))]

    async def _exchange(
        self, method: str, address: str, more: Mapping[str, str], content: bytes | None = None
    ) -> tuple[int, bytes, Mapping[str, str]]:
        self._limits.check()
        try:
            async with asyncio.timeout(self.seconds):
                status, headers, body = await self._sent(method, address, more, content)
        except TimeoutError:
            raise ApiError(f"GitHub did not answer within {self.seconds:g} seconds") from None
        self._zero = date(headers) - time.monotonic()
        self._limits.heard(status, headers, body)
        if status >= 500:
            raise ApiError(f"GitHub answers {status}")
        if status >= 400:
            raise Refused(status, _message(body))
        return status, body, headers

    async def _sent(
        self, method: str, address: str, more: Mapping[str, str], content: bytes | None
    ) -> tuple[int, Mapping[str, str], bytes]:
        import httpx2

        if self._client is None:
            raise ApiError("the connection to GitHub is not open")
        try:
            async with self._client.stream(
                method, address, headers={**self._headers(), **more}, content=content
            ) as answer:
                # Nothing is unpacked, so that a small answer cannot become a large one.
                if answer.headers.get("content-encoding", "identity").lower() != "identity":
                    raise ApiError("GitHub sends a compressed answer, which was not asked for")
                body = bytearray()
                async for chunk in answer.aiter_raw():
                    body += chunk
                    if len(body) > MAX_BYTES:
                        raise ApiError(f"GitHub's answer is larger than {MAX_BYTES // 1024 // 1024} MiB")
                return answer.status_code, answer.headers, bytes(body)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise ApiError(f"GitHub cannot be reached ({type(error).__name__}: {str(error)[:200]})") from None

    def _headers(self) -> dict[str, str]:
        # What is public needs no token.
        token = {"Authorization": f"Bearer {self.token.reveal().decode('ascii')}"} if self.token else {}
        return {
            **token,
            "Accept": "application/vnd.github+json",
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
            "User-Agent": "duct-tape",
            "X-GitHub-Api-Version": "2022-11-28",
        }


def _target(address: str, location: str) -> str | None:
    """Where a redirect leads, as long as it stays on the same server."""
    try:
        target = urljoin(address, location)
        return target if origin(target) == origin(address) else None
    except ValueError:
        return None


def _decoded(body: bytes) -> Any:
    try:
        return parse_value(body)
    except MalformedError:
        raise ApiError("GitHub's answer is not JSON") from None


def _message(body: bytes) -> str:
    """GitHub's own words of why it refuses."""
    try:
        value = parse_value(body)
    except MalformedError:
        return ""
    message = value.get("message") if isinstance(value, dict) else None
    return message[:200] if isinstance(message, str) else ""
