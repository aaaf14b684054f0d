"""``scripts/prove`` as the tests call it: short, and as JSON."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.unmeasured_support import unmeasured

PROVE = Path(__file__).parents[2] / "scripts" / "prove"

needs_compiler = pytest.mark.skipif(not shutil.which("cc") and not shutil.which("gcc"), reason="gcc is not installed")


def prove(*words: str, code: int = 0) -> dict[str, Any]:
    """The figures of a proof that ends with this exit code."""
    command = [sys.executable, str(PROVE), *words, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=unmeasured())
    assert done.returncode == code, done.stdout + done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    assert bool(result["broken"]) == bool(code)
    return result
