"""What may come of an input: an answer or a typed error, within bounds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from attrs import frozen

# A slow input is timed again as often before it counts, since the machine may be busy with something else.
TIMED_AGAIN = 3


class Finding(AssertionError):
    """The function under test broke its word; the text says how."""


@frozen
class Target:
    """A function that meets bytes from outside.

    :param run: calls it and checks its answer; lets nothing but ``Finding`` and accidents through.
    :param seeds: inputs to start from.
    :param limit: seconds that one input may take.
    """

    name: str
    run: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    limit: float = 0.05


def judge(target: Target, data: bytes) -> None:
    """Run one input.

    :raises Finding: it took too long, or the answer is wrong. Any other error is a finding, too.
    """
    if _seconds(target, data) > target.limit:
        again = min(_seconds(target, data) for _ in range(TIMED_AGAIN))
        if again > target.limit:
            raise Finding(f"{target.name} took {again * 1000:.0f} ms, also the third time: {data[:200]!r}")


def _seconds(target: Target, data: bytes) -> float:
    began = time.process_time()
    target.run(data)
    return time.process_time() - began


def hold(true: object, otherwise: str) -> None:
    """A check of an answer.

    :raises Finding: it is not true.
    """
    if not true:
        raise Finding(otherwise)
