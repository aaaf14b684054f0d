"""How long a wrong signature takes tells nothing about where it is wrong.

The verification that the server uses is called with signatures that are wrong in the first byte and with others that
are wrong in the last, taking turns at random, and each call is timed. Welch's t-test compares the two; so does a third
group, wrong in the first byte as well, which shows what this machine's own noise makes of no difference at all. In one
process, since that is where a difference would be largest: a network only hides it.

  t        between the first byte and the last; 4.5 or more, twice the noise, and in the same direction in every round
           is broken
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

from duct_tape.api import Hmac, RawDelivery, Secret, SignatureError
from proofs.outcome import Outcome
from signing import github_signature

MOST = 4.5
COPIES = 256
BODY = b'{"action":"published"}'
SECRETS = (Secret("this proof", b"only for this proof"),)
VERIFIER = Hmac("X-Hub-Signature-256", secrets=SECRETS, prefix="sha256=")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--samples", type=int, default=100_000, help="calls of each group in a round (default: 100000)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds at most; one good one is enough (default: 5)")


def prove(options: argparse.Namespace) -> Outcome:
    right = github_signature(SECRETS[0].reveal(), BODY).removeprefix("sha256=")
    first, last = other(right[0]) + right[1:], right[:-1] + other(right[-1])
    rows = []
    for number in range(options.rounds):
        t, noise = compared(first, last, options.samples)
        rows.append({"round": number + 1, "t": round(t, 2), "noise": round(noise, 2)})
        # A machine that is busy with something else can make one difference, and not the same one every time.
        if not tells(t, noise) or t * rows[0]["t"] < 0:
            break
    leaks = all(tells(row["t"], row["noise"]) and row["t"] * rows[0]["t"] > 0 for row in rows)
    broken = ("a signature that is wrong at its end takes another time than one that is wrong at its beginning",)
    return Outcome({"samples": options.samples, "rounds": rows}, broken if leaks else ())


def tells(t: float, noise: float) -> bool:
    """Whether there is a difference, and more than between what is the same."""
    return abs(t) >= MOST and abs(t) > 2 * abs(noise)


def compared(one: str, two: str, samples: int) -> tuple[float, float]:
    """Welch's t between the times of two wrong signatures, and between two groups of the first."""
    groups: tuple[list[int], ...] = ([], [], [])
    # Where a text lies in memory makes a difference, so each group has many that say the same, all over the place.
    copies: tuple[list[str], ...] = ([], [], [])
    for index in random.sample([0, 1, 2] * COPIES, 3 * COPIES):
        copies[index].append("".join(list((one, two, one)[index])))
    gc.collect()
    gc.disable()
    try:
        for _ in range(samples):
            for index in random.sample(range(3), 3):
                groups[index].append(timed(random.choice(copies[index])))
    finally:
        gc.enable()
    left = cropped(groups)
    return welch(left[0], left[1]), welch(left[0], left[2])


def timed(digits: str) -> int:
    """Nanoseconds of one verification of a wrong signature."""
    # A text of its own each time, as from a request: where it lies in memory makes a difference too.
    delivery = RawDelivery.build({VERIFIER.header: f"sha256={digits}"}, BODY)
    began = time.perf_counter_ns()
    try:
        VERIFIER.verify(delivery)
    except SignatureError:
        return time.perf_counter_ns() - began
    raise AssertionError("a wrong signature was accepted")


def cropped(groups: Sequence[Sequence[int]]) -> list[list[int]]:
    """Without whatever is slower than nine tenths of all together: that was interrupted by something else."""
    # One cut for all groups, so that what is left of each can be compared.
    most = statistics.quantiles([item for group in groups for item in group], n=10)[-1]
    return [[item for item in group if item <= most] for group in groups]


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
