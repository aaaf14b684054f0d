"""Log lines that strangers cause: few, however many requests they send."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Hashable

from attrs import define, field

# At most one line of a kind in so many seconds, and one more that counts the others.
EVERY = 10.0
# Of how many addresses it is remembered that they were among them.
MAX_SENDERS = 1000


@define
class _Kind:
    """What happened since the last line of one kind."""

    count: int = 0
    senders: set[Hashable] = field(factory=set)


class Telling:
    """Tells the first of a kind at once, and of those that follow within ``EVERY`` seconds only how many there were.

    :param every: seconds.
    """

    def __init__(self, every: float = EVERY) -> None:
        self._every = every
        self._kinds: dict[tuple[str, str], _Kind] = {}

    def tell(self, log: logging.Logger, level: int, kind: str, text: str, sender: Hashable | None) -> None:
        """Something happened.

        :param kind: what is counted together, for each logger. There must be few kinds.
        :param text: the line, if it is the first.
        :param sender: who caused it, as far as that is known.
        """
        key = (log.name, kind)
        if key not in self._kinds:
            self._kinds[key] = _Kind()
            log.log(level, "%s%s", text, f" (from {sender})" if sender is not None else "")
            asyncio.get_running_loop().call_later(self._every, self._sum_up, log, level, key)
            return
        found = self._kinds[key]
        found.count += 1
        if len(found.senders) < MAX_SENDERS:
            found.senders.add(sender)

    def _sum_up(self, log: logging.Logger, level: int, key: tuple[str, str]) -> None:
        found = self._kinds.pop(key)
        if not found.count:
            return
        senders = f"{len(found.senders)} address{'es' if len(found.senders) > 1 else ''}"
        more = "at least " if len(found.senders) >= MAX_SENDERS else ""
        log.log(
            level, "%s: %d more like this in the last %g seconds, from %s%s",
            key[1], found.count, self._every, more, senders,
        )  # fmt: skip
        # The next one is the first of a new round, and the round begins now.
        self._kinds[key] = _Kind()
        asyncio.get_running_loop().call_later(self._every, self._sum_up, log, level, key)
