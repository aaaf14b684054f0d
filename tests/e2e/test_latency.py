"""From the POST to the first line of bin/deploy in the blink of an eye: ``scripts/bench`` in short."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

BENCH = Path(__file__).parents[2] / "scripts" / "bench"


def bench(*arguments: str) -> str:
    command = [sys.executable, str(BENCH), "--releases", "15", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def test_a_release_is_deployed_within_50_ms() -> None:
    results: list[dict[str, Any]] = []
    # Once more, since a machine that is busy with something else proves nothing.
    while len(results) < 2 and not any(result["deploy_ms"]["median"] < 50 for result in results):
        results.append(json.loads(bench("--json")))
    result = results[-1]
    assert result["deploy_ms"]["median"] < 50, results
    assert result["202_ms"]["median"] < result["deploy_ms"]["median"]
    assert result["memory_mb"]["before"].keys() == {"server", "listener"}


def test_the_table_is_for_people() -> None:
    lines = bench("--listener", "bash").splitlines()
    assert lines[0] == "15 releases, listener: bash"
    assert {line.split("  ")[0] for line in lines[3:5]} == {"POST to 202", "POST to bin/deploy"}
    assert lines[-1].endswith("MB")
