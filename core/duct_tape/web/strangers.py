"""Who asks, and what may be done for those whose requests are refused."""

from __future__ import annotations

import logging
import math

from starlette.types import Scope

from duct_tape.addresses import Address, Proxies
from duct_tape.conf.model import ServerConf
from duct_tape.web.buckets import Buckets
from duct_tape.web.telling import Telling


class Strangers:
    """What the public application knows of its senders before they have proven who they are."""

    def __init__(self, server: ServerConf) -> None:
        self._proxies = Proxies(server.trusted_proxies)
        limit = server.max_refused_per_minute
        self._buckets = Buckets(limit) if limit is not None else None
        self._telling = Telling()

    def sender(self, scope: Scope) -> Address | None:
        """The address that a request comes from, as far as a proxy of ours or the connection tells."""
        client = scope.get("client")
        forwarded = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
        return self._proxies.sender(client[0] if client else None, forwarded)

    def wait(self, sender: Address | None) -> int:
        """Count a request as refused, until it turns out that it is not.

        :returns: whole seconds until this address may send another one, or 0.
        """
        counted = self._proxies.counted(sender)
        if self._buckets is None or counted is None:
            return 0
        return math.ceil(self._buckets.take(counted))

    def good(self, sender: Address | None) -> None:
        """A request was not refused."""
        counted = self._proxies.counted(sender)
        if self._buckets is not None and counted is not None:
            self._buckets.give_back(counted)

    def tell(self, scope: Scope, level: int, kind: str, text: str = "", name: str | None = None) -> None:
        """Log what a stranger did, as far as there is not too much of it.

        :param kind: what is counted together.
        :param text: the line; without it the kind.
        :param name: the logger; without it that of the request's instance.
        """
        log = logging.getLogger(name or scope["duct_tape.instance"].name)
        self._telling.tell(log, level, kind, text or kind, scope.get("duct_tape.sender"))
