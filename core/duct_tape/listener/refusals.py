"""Refusals: what was no flag is told, thing by thing as long as they are few, and by their number when they are not."""

from __future__ import annotations

import logging
import time

log = logging.getLogger(__name__)

# A stranger's million must not become a million lines.
MOST_LINES = 100
SECONDS = 60.0


class Refusals:
    """Counts what was refused, and tells it in at most ``MOST_LINES`` lines, then one per ``SECONDS``."""

    def __init__(self) -> None:
        self.count = 0
        self._lines = self._untold = 0
        self._until = 0.0

    def tell(self, sentence: str, *words: object) -> None:
        """Count one more, and tell it if there were not many lately."""
        self.count += 1
        self.breathe()
        if self._lines < MOST_LINES:
            self._lines += 1
            log.warning(sentence, *words)
        else:
            self._untold += 1

    def breathe(self) -> None:
        """Call now and then, so that a number that was held back is told."""
        now = time.monotonic()
        if now < self._until:
            return
        self._until = now + SECONDS
        if self._untold:
            self.conclude()
        else:
            self._lines = 0

    def conclude(self) -> None:
        """Tell the number that was held back, if there is one."""
        if self._untold:
            log.warning("the volume holds much that is no flag: %d more were set aside, or had to stay", self._untold)
            self._untold = 0
