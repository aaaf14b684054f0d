"""A plugin's routes: validated, and mounted under the instance's prefix and nowhere else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from functools import partial

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route, Router
from starlette.types import Message, Receive, Scope, Send

from duct_tape.errors import UnavailableError
from duct_tape.plugins.instance import Instance
from duct_tape.plugins.isolation import PluginFailure, as_failure, cancelled_from_outside
from duct_tape.plugins.watch import watched
from duct_tape.web.answers import answer, unauthorized

log = logging.getLogger("duct_tape.plugins")


def checked_routes(routes: object) -> tuple[Route, ...]:
    """The routes, if Starlette will serve them as the author means; it accepts junk without a word.

    :raises PluginFailure: one of them is not a Route, or two of them answer the same request.
    """
    if not isinstance(routes, Iterable):
        raise PluginFailure("ducttape_routes must return Starlette routes", unexpected=False)
    found = tuple(routes)
    taken: set[tuple[str, str]] = set()
    for route in found:
        if not isinstance(route, Route):
            raise PluginFailure(f"{type(route).__name__} is not a starlette Route", unexpected=False)
        if not callable(route.endpoint):
            raise PluginFailure(f"the endpoint of {route.path} cannot be called", unexpected=False)
        for method in sorted(route.methods or {"GET"}):
            if (route.path, method) in taken:
                raise PluginFailure(f"two routes answer {method} {route.path}", unexpected=False)
            taken.add((route.path, method))
    return found


class InstanceMount(BaseRoute):
    """Everything under ``/integrations/<instance>``, and that path itself as the route ``"/"``.

    Starlette's own Mount answers the bare prefix with a redirect to a trailing slash, which senders do not
    follow. Exactly one spelling of each URL is served.
    """

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self._router = Router(list(instance.routes), redirect_slashes=False)
        self._receives = any(hasattr(route, "receiver") for route in instance.routes)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        prefix = self.instance.prefix
        path: str = scope["path"]
        if scope["type"] != "http" or not (path == prefix or path.startswith(f"{prefix}/")):
            return Match.NONE, {}
        if path == f"{prefix}/":
            return Match.NONE, {}
        inner = f"{prefix}/" if path == prefix else path
        return Match.FULL, {"path": inner, "root_path": prefix, "duct_tape.instance": self.instance}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if refused := self._refused(scope):
            await refused(scope, receive, send)
            return
        if not self.instance.on:
            await _off(scope, receive, send)
            return
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        serving = self._router(scope, receive, sending)
        try:
            # A receiver's own code is the core's, which nothing may interrupt.
            await (serving if self._receives else watched(serving))
        except HTTPException:
            raise
        except BaseException as error:
            # Ctrl-C is a signal that the server handles; as an exception it can only be the plugin's own.
            if isinstance(error, asyncio.CancelledError) and cancelled_from_outside():
                raise
            self._tell(scope, error)
            if not begun:
                await _failed(scope, receive, send)

    def _refused(self, scope: Scope) -> Response | None:
        """The answer to whoever is not in ``allow_from``: the same as to a wrong signature."""
        if self.instance.allowed is None:
            return None
        tell = partial(scope["app"].state.strangers.tell, scope, logging.WARNING)
        sender = scope["duct_tape.sender"]
        try:
            if self.instance.allowed.admits(sender):
                return None
        except (Exception, SystemExit, KeyboardInterrupt) as error:
            # Those behind a name are asked of the plugin.
            if not isinstance(error, UnavailableError):
                self._tell(scope, error)
                return _unknown
            tell("unavailable, nothing was accepted", f"unavailable, nothing was accepted: {error}")
            return _unknown
        hint = "" if sender else ", and nobody told one: name your proxy in `server.trusted_proxies`"
        tell(
            "refused: the sender's address is not in `allow_from`",
            f"refused: the sender's address is not in `allow_from`{hint}",
        )
        return unauthorized()

    def _tell(self, scope: Scope, error: BaseException) -> None:
        # The route's path and not the request's: with some senders its end is the secret.
        found = (route.path for route in self.instance.routes if route.matches(scope)[0] is Match.FULL)
        request = f"{scope['method']} {self.instance.prefix}{next(found, '')}"
        failure = as_failure(error)
        self.instance.count(request, failure)
        log.error("plugin %s failed on %s: %s", self.instance.name, request, failure)
        log.debug("where", exc_info=error)


_failed = answer(500, "failed", reason="this integration failed on the request")
_unknown = answer(503, "unavailable", reason="nothing was accepted; send it again later")
_off = answer(503, "unavailable", reason="this integration is off")
