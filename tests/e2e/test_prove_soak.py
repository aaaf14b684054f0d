"""Memory, open files and the journal's log stay bounded: ``scripts/prove soak`` in short."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from tests.e2e.prove_support import prove

from proofs.soak import FILES, MOST_LOG, Sample, judged

FINE = {"lost": 0, "stale": 0, "integrity": "ok"}


def test_a_constant_rate_is_borne(tmp_path: Path) -> None:
    path = tmp_path / "samples.csv"
    result = prove("soak", "--seconds", "8", "--rate", "10", "--every", "0.5", "--samples", str(path))
    assert (result["lost"], result["stale"], result["integrity"]) == (0, 0, "ok")
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == result["samples"] > 4
    assert all(float(row["server_memory"]) > 0 and float(row["listener_memory"]) > 0 for row in rows)


@pytest.mark.parametrize(
    ("name", "small", "large"),
    [
        ("server_memory", 6.0, 10.0),
        ("listener_memory", 6.0, 10.0),
        ("server_files", FILES, FILES + 1),
        ("listener_files", FILES, FILES + 1),
        ("log", MOST_LOG - 20, MOST_LOG),
    ],
)
def test_what_grows_is_found_out(name: str, small: float, large: float) -> None:
    sample = Sample(0.0, 20.0, 20.0, 20, 20, 20.0, 20.0, 20)

    def broken(growth: float) -> tuple[str, ...]:
        later: dict[str, Any] = {name: getattr(sample, name) + growth}
        samples = [evolve(sample, second=float(second)) for second in range(6)]
        return judged(FINE, [*samples, *(evolve(sample, second=float(s), **later) for s in (6, 7))]).broken

    assert broken(small) == ()
    assert len(broken(large)) == 1
