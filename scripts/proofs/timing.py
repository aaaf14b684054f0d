"""How long a wrong signature takes tells nothing about where it is wrong.

The verification that the server uses is called with signatures that are wrong in the first byte and with others that
are wrong in the last, taking turns at random, and each call is timed. Welch's t-test compares the two; so does a third
group, wrong in the first byte as well, which shows what this machine's own noise makes of no difference at all. In one
process, since that is where a difference would be largest: a network only hides it.

  t        between the first byte and the last; 4.5 or more in every round is broken
  noise    between two groups that are the same
"""

from __future__ import annotations

import argparse
import gc
import math
import random
import statistics
import time
from collections.abc import Sequence

from duct_tape.api import Secret, SignatureError, sign_hmac_sha256, verify_hmac_sha256
from proofs.outcome import Outcome

MOST = 4.5
BODY = b'{"action":"published"}'
SECRETS = (Secret("this proof", b"only for this proof"),)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--samples", type=int, default=100_000, help="calls of each group in a round (default: 100000)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds at most; one good one is enough (default: 3)")


def prove(options: argparse.Namespace) -> Outcome:
    right = sign_hmac_sha256(SECRETS[0].reveal(), BODY).removeprefix("sha256=")
    first, last = other(right[0]) + right[1:], right[:-1] + other(right[-1])
    rows = []
    for number in range(options.rounds):
        t, noise = compared(first, last, options.samples)
        rows.append({"round": number + 1, "t": round(t, 2), "noise": round(noise, 2)})
        # A machine that is busy with something else can make one difference, and not the same one every time.
        if abs(t) < MOST:
            break
    leaks = all(abs(row["t"]) >= MOST for row in rows)
    broken = ("a signature that is wrong at its end takes another time than one that is wrong at its beginning",)
    return Outcome({"samples": options.samples, "rounds": rows}, broken if leaks else ())


def compared(one: str, two: str, samples: int) -> tuple[float, float]:
    """Welch's t between the times of two wrong signatures, and between two groups of the first."""
    groups: tuple[list[int], ...] = ([], [], [])
    digits = (one, two, one)
    gc.collect()
    gc.disable()
    try:
        for _ in range(samples):
            for index in random.sample(range(3), 3):
                groups[index].append(timed(digits[index]))
    finally:
        gc.enable()
    return welch(trimmed(groups[0]), trimmed(groups[1])), welch(trimmed(groups[0]), trimmed(groups[2]))


def timed(digits: str) -> int:
    """Nanoseconds of one verification of a wrong signature."""
    # A text of its own each time, as from a request: where it lies in memory makes a difference too.
    values = (f"sha256={digits}",)
    began = time.perf_counter_ns()
    try:
        verify_hmac_sha256(values, BODY, SECRETS)
    except SignatureError:
        return time.perf_counter_ns() - began
    raise AssertionError("a wrong signature was accepted")


def trimmed(times: Sequence[int]) -> list[int]:
    """Without the slowest tenth: those were interrupted by something else."""
    return sorted(times)[: max(2, len(times) * 9 // 10)]


def welch(one: Sequence[float], two: Sequence[float]) -> float:
    """Welch's t of two samples."""
    spread = statistics.variance(one) / len(one) + statistics.variance(two) / len(two)
    difference = statistics.fmean(one) - statistics.fmean(two)
    if spread == 0:
        return 0.0 if difference == 0 else math.copysign(math.inf, difference)
    return difference / math.sqrt(spread)


def other(digit: str) -> str:
    """Another hexadecimal digit."""
    return "1" if digit == "0" else "0"
