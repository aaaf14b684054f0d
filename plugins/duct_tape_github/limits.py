"""How many requests GitHub lets through, as far as its answers tell.

https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC
from email.utils import parsedate_to_datetime

from attrs import define, field

from duct_tape_github.errors import Limited

# The limits are per hour: longer than that is a fault of a clock, or a lie.
MAX_SECONDS = 3600.0
# What GitHub asks for where it names no time, and the least after a refusal. Each further one in a row doubles it.
SECONDARY_SECONDS = 60.0
MAX_DOUBLINGS = 6


@define(eq=False)
class Limits:
    """When the next request may be made.

    :param clock: seconds that only go forward.
    """

    clock: Callable[[], float] = time.monotonic
    _not_before: float = field(default=float("-inf"), init=False)
    _in_a_row: int = field(default=0, init=False)

    def check(self) -> None:
        """Keep from asking as long as GitHub wants.

        :raises Limited: it is too early.
        """
        if (seconds := self._not_before - self.clock()) > 0:
            raise Limited(seconds)

    def heard(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Learn from an answer.

        :param headers: with names in lower case, or whose names know no case.
        :raises Limited: the request was one too many.
        """
        spent = headers.get("x-ratelimit-remaining") == "0"
        told = status in (403, 429) and "retry-after" in headers
        secondary = status == 429 or (status == 403 and b"secondary rate" in body[:10_000])
        refused = told or secondary or (spent and status == 403)
        if not (spent or refused):
            self._in_a_row = 0
            return
        seconds = min(max(self._named(headers, told, spent, refused), 1.0), MAX_SECONDS)
        self._not_before = self.clock() + seconds
        if refused:
            self._in_a_row += 1
            raise Limited(seconds)

    def _named(self, headers: Mapping[str, str], told: bool, spent: bool, refused: bool) -> float:
        least: float = SECONDARY_SECONDS * 2 ** min(self._in_a_row, MAX_DOUBLINGS)
        if told:
            seconds = _number(headers["retry-after"], SECONDARY_SECONDS)
            # Who did as GitHub said and is refused again waits longer than it says.
            return max(seconds, least) if self._in_a_row else seconds
        if spent:
            now = date(headers)
            seconds = _number(headers.get("x-ratelimit-reset", ""), now + SECONDARY_SECONDS) - now
            # A time that has passed already tells of a clock that is wrong, not of an hour that is over.
            return max(seconds, least) if refused else seconds
        return least


def date(headers: Mapping[str, str]) -> float:
    """When an answer was given, by GitHub's clock if it tells: this machine's own may be wrong.

    :param headers: with names in lower case, or whose names know no case.
    """
    with suppress(ValueError, TypeError, IndexError, OverflowError):
        found = parsedate_to_datetime(headers.get("date", "")[:100])
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    return time.time()


def _number(text: str, otherwise: float) -> float:
    # Digits only: float() takes more than that.
    return float(text) if text.isascii() and text.isdigit() and len(text) < 16 else otherwise
