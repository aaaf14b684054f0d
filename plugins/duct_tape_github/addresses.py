"""The addresses from which GitHub sends webhooks, as GitHub itself publishes them.

https://docs.github.com/en/rest/meta/meta
"""

from __future__ import annotations

import asyncio
import ipaddress
from ipaddress import IPv4Network, IPv6Network
from typing import Any, TypeAlias

from attrs import define, field

from duct_tape.api import Check, Context
from duct_tape_github.errors import ApiError
from duct_tape_github.rest import Api

Network: TypeAlias = IPv4Network | IPv6Network

# What `allow_from` calls them.
NAME = "github"
DAY = 24 * 3600.0
# Seconds until the next attempt: without any answer so far, and with an old one.
SOON, LATER = 30.0, 3600.0
MAX_NETWORKS = 1000


@define(eq=False)
class Addresses:
    """GitHub's networks: asked for at the start and once a day, kept when GitHub does not answer.

    :param networks: None as long as GitHub has not told them.
    """

    ctx: Context
    api: Api
    networks: tuple[Network, ...] | None = None
    problem: str = field(default="nobody has asked yet", init=False)

    async def work(self) -> None:
        """Until cancelled."""
        while True:
            seconds = await self.refresh()
            await asyncio.sleep(seconds)

    async def refresh(self) -> float:
        """Ask GitHub.

        :returns: seconds until the next time.
        """
        try:
            self.networks, self.problem = networks(await self.api.get("/meta")), ""
        except ApiError as error:
            self.problem = str(error)
            kept = "nothing is accepted until they are" if self.networks is None else "the last ones are kept"
            self.ctx.log.error("GitHub's addresses, for `allow_from`, are not known: %s; %s", error, kept)
            return SOON if self.networks is None else LATER
        return DAY

    def check(self) -> Check:
        """For ``/readyz``."""
        known = self.networks is not None
        detail = f"{len(self.networks or ())} networks" if not self.problem else self.problem
        return Check(name="addresses of GitHub", healthy=known, detail=detail)


def networks(answer: Any) -> tuple[Network, ...]:
    """The networks of webhooks in the answer to ``GET /meta``.

    :raises ApiError: it holds none, or something else.
    """
    texts = answer.get("hooks") if isinstance(answer, dict) else None
    if not isinstance(texts, list) or not texts or len(texts) > MAX_NETWORKS:
        raise ApiError("GitHub's answer holds no list of `hooks`")
    return tuple(_network(text) for text in texts)


def _network(text: object) -> Network:
    try:
        # A number would be an address too.
        found = ipaddress.ip_network(text) if isinstance(text, str) else None
    except ValueError:
        found = None
    # The whole internet is no list of senders.
    if found is None or found.prefixlen < 8:
        raise ApiError(f"GitHub's answer holds {str(text)[:50]!r} in the place of a network")
    return found
