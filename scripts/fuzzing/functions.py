"""The pure functions, fed with bytes."""

from __future__ import annotations

import gc
import hashlib
import importlib.util
import re
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

from fuzzing import blind
from fuzzing.oracle import Target

SCRIPTS = Path(__file__).resolve().parents[1]
# What a thousand inputs may leave behind for good, caches of the standard library included.
MOST_LEFT = 256 * 1024
_RUNS = re.compile(r"stat::number_of_executed_units: (\d+)")
# What all inputs together have reached: branches, and these with how often each was taken.
_REACHED = re.compile(r"\bcov: (\d+) ft: (\d+)")


def fuzz(target: Target, seconds: float, folder: Path) -> dict[str, Any]:
    """The figures of one target; ``found`` holds a sentence when something was found.

    :param folder: keeps the corpus and the findings.
    """
    corpus, findings = folder / "corpus" / target.name, folder / "findings"
    for path in (corpus, findings):
        path.mkdir(parents=True, exist_ok=True)
    for seed in target.seeds():
        (corpus / hashlib.sha256(seed).hexdigest()[:40]).write_bytes(seed)
    coverage, features = 0, 0
    if importlib.util.find_spec("atheris"):
        count, coverage, features, found = _guided(target, seconds, corpus, findings)
    else:
        count, found = blind.fuzz(target, seconds, findings)
    left = 0 if found else memory_left(target, corpus)
    if left > MOST_LEFT:
        found = f"{left} bytes of memory are not given back"
    return {
        "target": target.name,
        "inputs": count,
        "coverage": coverage,
        "features": features,
        "corpus": len(list(corpus.iterdir())),
        "found": found,
    }


def memory_left(target: Target, corpus: Path) -> int:
    """The bytes that a second pass over the corpus leaves behind; the first one may fill caches."""
    inputs = [path.read_bytes() for path in sorted(corpus.iterdir())[:1000]]
    for data in inputs:
        target.run(data)
    gc.collect()
    tracemalloc.start()
    for data in inputs:
        target.run(data)
    gc.collect()
    left = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return left


def _guided(target: Target, seconds: float, corpus: Path, findings: Path) -> tuple[int, int, int, str]:
    whole = str(max(1, round(seconds)))
    command = [sys.executable, "-m", "fuzzing.guided", target.name, whole, str(corpus), str(findings)]
    done = subprocess.run(
        command, cwd=SCRIPTS, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False
    )
    ran, reached = _RUNS.search(done.stderr), (_REACHED.findall(done.stderr) or [("0", "0")])[-1]
    # Behind this follow the traceback, and where the input was written.
    said = f"{done.stdout}\n{done.stderr}".rpartition("Uncaught Python exception")[2].strip(" :=\n")
    return int(ran[1]) if ran else 0, int(reached[0]), int(reached[1]), said[-4000:] if done.returncode else ""
