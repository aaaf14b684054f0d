"""How many refused requests each address has left."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

MAX_BUCKETS = 10_000


class Buckets:
    """A token bucket for each address. It holds a minute's tokens and is filled evenly.

    :param per_minute: tokens.
    :param limit: how many addresses are remembered. Whoever was not heard of for the longest time is forgotten
        first, and so begins with a full bucket.
    :param clock: seconds.
    """

    def __init__(self, per_minute: int, limit: int = MAX_BUCKETS, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = float(per_minute)
        self._limit = limit
        self._clock = clock
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, address: Hashable) -> float:
        """Take a token.

        :returns: seconds until there is one, or 0 if there was one.
        """
        tokens = self._tokens(address)
        if tokens < 1:
            self._keep(address, tokens)
            return (1 - tokens) * 60 / self._size
        self._keep(address, tokens - 1)
        return 0.0

    def give_back(self, address: Hashable) -> None:
        """Return a token that was not needed."""
        self._keep(address, min(self._size, self._tokens(address) + 1))

    def _tokens(self, address: Hashable) -> float:
        tokens, at = self._buckets.get(address, (self._size, self._clock()))
        return min(self._size, tokens + (self._clock() - at) * self._size / 60)

    def _keep(self, address: Hashable, tokens: float) -> None:
        self._buckets[address] = (tokens, self._clock())
        self._buckets.move_to_end(address)
        if len(self._buckets) > self._limit:
            self._buckets.popitem(last=False)
