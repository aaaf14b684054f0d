"""Nothing accepted is lost while server and listener are killed: ``scripts/prove`` in short."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PROVE = Path(__file__).parents[2] / "scripts" / "prove"


def test_nothing_accepted_is_lost() -> None:
    command = [sys.executable, str(PROVE), "--seconds", "6", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)
    assert (result["lost"], result["stale"], result["integrity"]) == (0, 0, "ok")
    assert result["accepted"] > 0
    assert min(result["kills"].values()) > 0
