"""What the journal costs: deliveries accepted per second, with it and without it.

The same server takes the same signed releases from the same client, over connections that are kept alive: once with
its journal, and once with one that keeps nothing (cost_server.py): it accepts, claims and finishes runs in memory, and
returns at once. The rounds take turns, each with a server of its own; server and client each have a core of their own
where there are two.

With --action nothing no flags are left, and the ratio tells of the journal alone.

  with, without   answers with 202 per second, the median of the rounds
  ratio           the one divided by the other; the goal is 0.70, and --goal makes less than that a broken promise
  client          the share of its core that the client needs; near 1 it is the client that is measured
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from proofs import books
from proofs.load import load
from proofs.machine import Machine
from proofs.outcome import Outcome, ProofError

WARM_UP = 0.5
# Without a listener nobody would take the flags.
ACTIONS = {"touch-file": "[plugins.touch-file]\nexpect_listener = false\n", "nothing": "[plugins.nothing]\n"}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=5, help="how many rounds of each (default: 5)")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each round (default: 3)")
    parser.add_argument("--connections", type=int, default=16, help="how many at once (default: 16)")
    parser.add_argument("--action", choices=ACTIONS, default="touch-file", help="what runs do (default: touch-file)")
    parser.add_argument("--goal", type=float, default=0.0, help="the least ratio (default: any)")


def prove(options: argparse.Namespace) -> Outcome:
    cores = sorted(os.sched_getaffinity(0))
    rows: list[Mapping[str, Any]] = []
    os.sched_setaffinity(0, {cores[-1]})
    try:
        for number in range(options.rounds):
            row: dict[str, Any] = {"round": number + 1}
            for kind in ("with", "without") if number % 2 == 0 else ("without", "with"):
                row |= _round(kind, cores[0], options)
            rows.append({"round": number + 1, **{name: row[name] for name in sorted(row) if name != "round"}})
    finally:
        os.sched_setaffinity(0, cores)
    medians = {kind: statistics.median(row[kind] for row in rows) for kind in ("with", "without")}
    ratio = round(medians["with"] / medians["without"], 3)
    broken = (f"the ratio is {ratio}, less than {options.goal}",) if ratio < options.goal else ()
    return Outcome({**medians, "ratio": ratio, "connections": options.connections, "rounds": rows}, broken)


def _round(kind: str, core: int, options: argparse.Namespace) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="duct-tape-proof-") as folder:
        machine = Machine(Path(folder), options.connections)
        configuration = machine.folder / "duct_tape.toml"
        text = configuration.read_text().replace("[plugins.touch-file]\n", ACTIONS[options.action])
        configuration.write_text(text.replace('"touch-file"', f'"{options.action}"'))
        machine.server.command = [sys.executable, "-m", "proofs.cost_server", kind, f"{core}", configuration.name]
        machine.server.environment = {"PYTHONPATH": f"{Path(__file__).parents[1]}"}
        try:
            machine.server.start()
            began, busy = time.monotonic(), time.process_time()
            answers = load(machine.port, machine.names, WARM_UP, options.seconds)
            share = (time.process_time() - busy) / (time.monotonic() - began)
        finally:
            machine.close()
        if set(answers) != {202}:
            raise ProofError(f"not every answer was 202: {dict(answers)}\n{machine.server.log()}")
        if bool(kept := len(books.runs(machine.journal))) != (kind == "with"):
            raise ProofError(f"{kept} runs are kept {kind} a journal")
    return {kind: round(answers[202] / options.seconds, 1), f"client_{kind}": round(share, 2)}
