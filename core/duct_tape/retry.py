"""When a failed attempt is repeated."""

from __future__ import annotations

import random

from attrs import frozen

from duct_tape.errors import TransientError
from duct_tape.runs import Run


@frozen(kw_only=True)
class Retry:
    """When a failed attempt is repeated.

    :param attempts: after so many the run fails, unless it is the machine's fault: a full disk or a volume that
        is not mounted may be mended in the morning.
    :param age: seconds after which a run fails all the same, if it was tried often enough for them: a clock that jumps
        makes a run old, and not late. A deploy that comes a day late surprises.
    :param base: seconds; the wait before attempt n is random between 0 and base * 2**n ("full jitter").
    :param cap: the longest wait in seconds.
    """

    attempts: int = 8
    age: float = 24 * 3600.0
    base: float = 0.5
    cap: float = 60.0

    def last(self, run: Run, error: BaseException, now: float) -> bool:
        """Whether the run fails with this error instead of being tried again."""
        attempts = run.attempts + 1
        if now - run.created_at >= self.age and attempts * self.cap >= self.age:
            return True
        return attempts >= self.attempts and not isinstance(error, OSError | TransientError)

    def wait(self, attempts: int, least: float = 0.0) -> float:
        """Seconds before the next attempt.

        :param attempts: so many have failed.
        :param least: it is not shorter, as long as that is below the cap.
        """
        wait = random.uniform(0, min(self.cap, self.base * 2 ** min(attempts, 30)))  # noqa: S311 - not a secret
        return min(self.cap, max(wait, least))


RETRY = Retry()


@frozen
class Again:
    """An attempt that failed, and is to be repeated after ``wait`` seconds."""

    detail: str
    wait: float
