"""Nothing accepted is lost while server and listener are killed: ``scripts/prove`` in short."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.e2e.prove_support import PROVE, prove
from tests.unmeasured_support import unmeasured

from proofs.books import Row, lost, stale, verdict

ROWS = {
    "1": Row("1", "shop", "superseded", 1, "v1", ""),
    "2": Row("2", "shop", "deployed", 1, "v2", ""),
}


def test_nothing_accepted_is_lost() -> None:
    result = prove("--seconds", "6")
    assert (result["lost"], result["stale"], result["integrity"]) == (0, 0, "ok")
    assert result["accepted"] > 0
    assert min(result["kills"].values()) > 0


@pytest.mark.parametrize("name", ["", "kill", "power", "disk", "clock", "soak", "cost", "pressure", "timing"])
def test_each_proof_explains_itself(name: str) -> None:
    command = [sys.executable, str(PROVE), *([name] if name else []), "--help"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=unmeasured()).stdout
    assert f"scripts/prove {name}".strip() in said


def test_a_run_that_is_missing_waits_or_was_not_deployed_is_lost() -> None:
    assert lost(["1", "2"], ROWS, {"2": 1}) == set()
    assert lost(["1", "2", "3"], ROWS, {"2": 1}) == {"3"}
    assert lost([], {"1": Row("1", "shop", "flagged", 1, "v1", "")}, {}) == {"1"}
    assert lost(["2"], ROWS, {}) == {"2"}


def test_the_newest_release_has_to_be_the_last_one_deployed() -> None:
    assert stale(["shop"], {}, ROWS, {"shop": "v2"}) == 0
    assert stale(["shop"], {}, ROWS, {"shop": "v1"}) == 1
    assert stale(["shop"], {"3": ("shop", 3)}, ROWS, {"shop": "v2"}) == 1


def test_every_figure_that_is_wrong_is_told() -> None:
    assert verdict({"lost": 0, "stale": 0, "integrity": "ok"}) == []
    assert len(verdict({"lost": 1, "stale": 2, "integrity": "row 3 missing"})) == 3
