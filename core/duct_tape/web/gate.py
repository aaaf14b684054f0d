"""What every request passes before anything looks at it."""

from __future__ import annotations

from urllib.parse import quote, unquote_to_bytes

from starlette.types import ASGIApp, Receive, Scope, Send

from duct_tape.web.answers import answer

# What may stand in a path as it is (RFC 3986, pchar); everything else is percent-encoded.
_PLAIN = "/:@!$&'()*+,;=~"


class Gate:
    """Exactly one spelling of each URL; every other one is not found.

    A proxy in front may have its own rules for some paths. It must not be possible to get past them by another
    spelling.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not one_spelling(scope):
            await answer(404, "not found")(scope, receive, send)
        else:
            await self._app(scope, receive, send)


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
