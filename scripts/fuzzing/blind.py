"""One target without guidance: seeds, changed at random. For machines without atheris."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from pathlib import Path

from fuzzing.oracle import Target, judge

PIECES: tuple[bytes, ...] = (
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b"\\",
    b"\0",
    b"\n",
    b"%",
    b"{{",
    b"}}",
    b"\xff",
    b"\xed\xa0\x80",
    b"\\ud800",
)
PIECES += (b"null", b"true", b"1e999", b"-1", b"NaN", b"9" * 50, b"9" * 5000, b"[" * 100, b"../", b"=", b"&", b";")


def changed(seed: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """The seed with a few changes."""
    data = bytearray(seed)
    for _ in range(chance.randint(1, 6)):
        at, end = sorted((chance.randint(0, len(data)), chance.randint(0, len(data))))
        end = min(end, at + 64)
        how = chance.randrange(5)
        if how == 0:
            data[at:end] = b""
        elif how == 1:
            data[at:at] = chance.choice(PIECES)
        elif how == 2:
            data[at:end] = chance.randbytes(chance.randint(0, 4))
        elif how == 3:
            data[at:at] = data[at:end] * chance.randint(1, 8)
        else:
            other = chance.choice(others)
            data[at:end] = other[: chance.randint(0, len(other))]
    return bytes(data[: 64 * 1024])


def fuzz(target: Target, seconds: float, findings: Path, seed: int = 0) -> tuple[int, str]:
    """How many inputs were tried, and what was found, if anything. The seeds are tried however long that takes.

    :param seed: the same seed tries the same inputs in the same order.
    """
    chance, seeds, count = random.Random(seed), list(target.seeds()), 0
    end = time.monotonic() + seconds
    while count <= len(seeds) or time.monotonic() < end:
        data = seeds[count] if count < len(seeds) else changed(chance.choice(seeds), seeds, chance)
        count += 1
        try:
            judge(target, data)
        except Exception as error:
            path = findings / f"{target.name}-blind-{count}"
            path.write_bytes(data)
            return count, f"{type(error).__name__}: {error} (the input is in {path})"
    return count, ""
