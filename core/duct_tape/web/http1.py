"""HTTP/1.1 and nothing else, with bounds on what comes before the body."""

from __future__ import annotations

import re
from typing import Any

import h11
from hypercorn.events import Closed
from hypercorn.protocol.h11 import H11Protocol

MAX_HEADERS = 100

_LENGTH = re.compile(rb"(?im)^content-length:")
# One number on one line, which no other line goes on with.
_PLAIN_LENGTH = re.compile(rb"(?im)^content-length:[ \t]*\d+[ \t]*\r?\n(?![ \t])")


class Parser(h11.Connection):
    """h11's parser, which makes one length of several that are the same, also of a list such as ``3, 3``.

    What it gives does not tell that any more, so it is looked for in what it was given.
    """

    def next_event(self) -> Any:
        if self.their_state is not h11.IDLE:
            return super().next_event()
        before, _ = self.trailing_data
        event = super().next_event()
        if isinstance(event, h11.Request):
            after, _ = self.trailing_data
            head = before[: len(before) - len(after)]
            found = len(_LENGTH.findall(head))
            if found > 1 or found != len(_PLAIN_LENGTH.findall(head)):
                raise h11.RemoteProtocolError("more than one length", error_status_hint=400)
        return event


class Http1(H11Protocol):
    """Hypercorn's HTTP/1.1, which accepts no other protocol in its place and refuses what is ambiguous.

    Proxies speak HTTP/1.1 to what is behind them. HTTP/2 and WebSockets have floods of their own (streams that
    are reset, settings, pings) for which there would have to be limits of their own.
    """

    max_header_bytes: int

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.connection = Parser(h11.SERVER, max_incomplete_event_size=self.config.h11_max_incomplete_size)

    async def _check_protocol(self, event: h11.Request) -> None:
        # Hypercorn changes to HTTP/2 here. An `Upgrade` may be ignored (RFC 9110, 7.8).
        return

    async def _create_stream(self, request: h11.Request) -> None:
        if refused := self._refused(request):
            await self._send_error_response(refused)
            await self.send(Closed())
            return
        if any(name == b"upgrade" for name, _ in request.headers):
            request = _without_upgrade(request)
        await super()._create_stream(request)

    def _refused(self, request: h11.Request) -> int | None:
        names = [name for name, _ in request.headers]
        if request.http_version not in (b"1.0", b"1.1"):
            return 505
        # h11 bounds only headers that come in several pieces.
        size = len(request.target) + sum(len(name) + len(value) for name, value in request.headers)
        if len(names) > MAX_HEADERS or size > self.max_header_bytes:
            return 431
        # Hypercorn would make `get` of it.
        if request.method != request.method.upper():
            return 400
        # Two lengths are how one request is smuggled in another. h11 would go by the second.
        if b"transfer-encoding" in names and (b"content-length" in names or request.http_version == b"1.0"):
            return 400
        return None


def _without_upgrade(request: h11.Request) -> h11.Request:
    headers: Any = [(name, value) for name, value in request.headers if name != b"upgrade"]
    return h11.Request(method=request.method, target=request.target, headers=headers, http_version=request.http_version)
