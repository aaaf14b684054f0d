"""What every request passes before anything looks at it."""

from __future__ import annotations

import logging
from urllib.parse import quote, unquote_to_bytes

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from duct_tape.web.answers import answer, too_many
from duct_tape.web.strangers import Strangers

# What may stand in a path as it is (RFC 3986, pchar); everything else is percent-encoded.
_PLAIN = "/:@!$&'()*+,;=~"


class Gate:
    """Exactly one spelling of each URL, and no more refused requests of one address than are allowed.

    A proxy in front may have its own rules for some paths. It must not be possible to get past them by another
    spelling, so every other one is not found.

    :param strangers: who asks; without it nobody is counted.
    """

    def __init__(self, app: ASGIApp, strangers: Strangers | None = None) -> None:
        self._app = app
        self._strangers = strangers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif not one_spelling(scope):
            await answer(404, "not found")(scope, receive, send)
        elif self._strangers is None:
            await self._app(scope, receive, send)
        else:
            await self._counted(self._strangers, scope, receive, send)

    async def _counted(self, strangers: Strangers, scope: Scope, receive: Receive, send: Send) -> None:
        sender = scope["duct_tape.sender"] = strangers.sender(scope)
        if not scope["path"].startswith("/integrations/"):
            await self._app(scope, receive, send)
            return
        if seconds := strangers.wait(sender):
            strangers.tell(scope, logging.WARNING, "refused: too many requests of one address", name="duct_tape.web")
            await too_many(seconds)(scope, receive, send)
            return

        async def noticed(message: Message) -> None:
            if message["type"] == "http.response.start" and not 400 <= message["status"] < 500:
                strangers.good(sender)
            await send(message)

        await self._app(scope, receive, noticed)


def one_spelling(scope: Scope) -> bool:
    """Whether the URL is spelt in the one way in which it is served."""
    # Only a plugin's own routes may have a query.
    if scope["query_string"] and not scope["path"].startswith("/integrations/"):
        return False
    raw: bytes = scope["raw_path"]
    decoded = unquote_to_bytes(raw)
    if quote(decoded, safe=_PLAIN).encode() != raw or min(decoded, default=0) < 0x20:
        return False
    parts = decoded.split(b"/")
    return not parts[0] and not any(part in (b".", b"..") for part in parts) and b"" not in parts[1:-1]
