"""An end for requests that go on when the server stops."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from duct_tape.web.answers import answer


class Ending:
    """An application whose requests end in bounded time once the server stops.

    The plugins' lifespans end when the last request has. One response that streams on would keep the runs in flight
    from ending in order.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._open: set[asyncio.Timeout] = set()
        self._deadline: float | None = None

    def end(self, seconds: float) -> None:
        """Give the requests in flight, and those still to come, so many seconds from now."""
        self._deadline = asyncio.get_running_loop().time() + seconds
        for limit in self._open:
            limit.reschedule(self._deadline)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def noticed(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        limit = asyncio.timeout_at(self._deadline)
        try:
            async with limit:
                self._open.add(limit)
                await self._app(scope, receive, noticed)
        except TimeoutError:
            if not limit.expired():
                raise
            # An answer that has begun is cut off instead.
            if not begun:
                await answer(503, "unavailable", reason="the server is stopping")(scope, receive, send)
        finally:
            self._open.discard(limit)
