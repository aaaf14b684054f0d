"""A clock that jumps by a day: ``scripts/prove clock`` in short."""

from __future__ import annotations

from typing import Any

import pytest
from tests.e2e.prove_support import prove

from proofs.clock import CAP, MOST_ATTEMPTS, SLACK, judged, library
from proofs.outcome import ProofError

GOOD = {"seconds": 3.0, "attempts": 3, "resumed": 2.0, "unended": 0, "why": "", "recorded": True, "ended": False}


def installed() -> bool:
    try:
        return bool(library())
    except ProofError:
        return False


@pytest.mark.skipif(not installed(), reason="libfaketime is not installed")
@pytest.mark.parametrize("direction", ["forwards", "backwards"])
def test_a_clock_that_jumps_makes_no_storm_and_forgets_nothing(direction: str) -> None:
    [row] = prove("clock", "--direction", direction, "--seconds", "1")["jumps"]
    assert row["direction"] == direction
    assert row["attempts"] > 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"attempts": MOST_ATTEMPTS + 1},
        {"resumed": CAP + SLACK + 1},
        {"unended": 1},
        {"recorded": False},
        {"ended": True},
    ],
)
def test_every_figure_that_is_wrong_is_told(wrong: dict[str, Any]) -> None:
    assert judged(GOOD) == []
    assert len(judged({**GOOD, **wrong})) == 1
