"""What the journal costs: that ``scripts/prove cost`` measures. How much, only a quiet machine can tell."""

from __future__ import annotations

from tests.e2e.prove_support import prove


def test_both_are_measured() -> None:
    result = prove("cost", "--rounds", "1", "--seconds", "1", "--connections", "4")
    assert result["with"] > 0
    assert result["without"] > 0
    assert 0.05 < result["ratio"] < 5


def test_a_goal_that_is_missed_is_told() -> None:
    result = prove("cost", "--rounds", "1", "--seconds", "0.5", "--connections", "2", "--goal", "1000", code=1)
    assert result["broken"] == [f"the ratio is {result['ratio']}, less than 1000.0"]
