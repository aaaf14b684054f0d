"""From a release to its flag: how many per second, how soon, with how much memory and CPU.

Each server gets the same signed releases of eleven kilobytes, over connections that are kept alive, and leaves one
file for each (Duct Tape: for the newest of those that wait for one application). A delivery is complete once its file
is there, or that of a newer release of the same application. The servers take turns; server and client each have a
core of their own where there are two.

  completed   deliveries per second, from the first POST until the last file is there and the last child has ended
  p50, p99    milliseconds until the answer
  flag p99    milliseconds from the POST until the delivery is complete
  peak, idle  megabytes of the server and all its children, at their most and before the load
  CPU         seconds of the server and its children, for a thousand deliveries
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.servers import SERVERS, Server
from benchmarks.shoot import Volley, shoot
from benchmarks.shots import Shot, shots
from benchmarks.watch import Flags, Usage, children, resident
from proofs.outcome import Outcome, ProofError

PATIENCE = 120.0


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--deliveries", type=int, default=10_000, help="of each round (default: 10000)")
    parser.add_argument("--applications", type=int, default=100, help="that they are of (default: 100)")
    parser.add_argument("--connections", type=int, nargs="+", default=[16, 64], help="at once (default: 16 64)")
    parser.add_argument("--rounds", type=int, default=5, help="of each server (default: 5)")
    parser.add_argument(
        "--servers", nargs="+", default=["duct-tape", "webhook"], choices=SERVERS, help="(default: both)"
    )


def measure(options: argparse.Namespace) -> Outcome:
    cores = sorted(os.sched_getaffinity(0))
    rows: list[dict[str, Any]] = []
    os.sched_setaffinity(0, {cores[-1]})
    try:
        for connections in options.connections:
            for number in range(options.rounds):
                order = options.servers if number % 2 == 0 else options.servers[::-1]
                rows += [{"round": number + 1, **_round(name, connections, cores[0], options)} for name in order]
    finally:
        os.sched_setaffinity(0, cores)
    return Outcome({"medians": medians(rows), "rounds": rows})


def medians(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row for each server and number of connections."""
    found: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault((row["connections"], row["server"]), []).append(row)
    return [
        {"connections": connections, "server": server}
        | {name: round(statistics.median(row[name] for row in group), 2) for name in group[0] if name not in NAMES}
        for (connections, server), group in sorted(found.items())
    ]


NAMES = ("round", "connections", "server")


def _round(name: str, connections: int, core: int, options: argparse.Namespace) -> dict[str, Any]:
    applications = [f"app{number}" for number in range(options.applications)]
    with (
        tempfile.TemporaryDirectory(prefix="duct-tape-bench-") as folder,
        SERVERS[name](Path(folder), applications, core) as server,
    ):
        fired = shots(options.deliveries, applications, server.path)
        return {"server": name, "connections": connections, **asyncio.run(_fire(server, fired, connections))}


async def _fire(server: Server, fired: Sequence[Shot], connections: int) -> dict[str, float]:
    usage = Usage(server.pid)
    idle = resident(server.pid)
    flags = Flags(server.flags) if server.flags else None
    watching = asyncio.create_task(flags.watch()) if flags else None
    if flags:
        await flags.ready()
    with usage.sampled():
        volley = await shoot(server.port, fired, connections)
        if set(volley.statuses) != {202}:
            raise ProofError(f"not every answer was 202: {dict(volley.statuses)}")
        # A flag may be seen before the answer to its delivery is read.
        done = max(volley.ended, await _complete(server, flags, fired)) if flags else volley.ended
        spent = usage.cpu
    if watching:
        watching.cancel()
    cuts = statistics.quantiles(volley.answered, n=100)
    late = _lateness(volley, flags, fired) if flags else []
    return {
        "completed": len(fired) / (done - volley.began),
        "accepted": len(fired) / (volley.ended - volley.began),
        "p50_ms": cuts[49] * 1000,
        "p99_ms": cuts[98] * 1000,
        "flag_p99_ms": statistics.quantiles(late, n=100)[98] * 1000 if late else 0.0,
        "peak_mb": usage.peak,
        "idle_mb": idle,
        "cpu_s": spent / len(fired) * 1000,
    }


async def _complete(server: Server, flags: Flags, fired: Sequence[Shot]) -> float:
    """The clock when the newest release of each application had its flag and no child was left."""
    newest = {shot.application: shot.flag for shot in fired}
    deadline = time.monotonic() + PATIENCE
    while not flags.seen.keys() >= set(newest.values()) or len(children(server.pid)) > 1:
        if time.monotonic() > deadline:
            missing = set(newest.values()) - flags.seen.keys()
            raise ProofError(f"not complete within {PATIENCE:g} seconds: {len(missing)} flags are missing")
        await asyncio.sleep(0.005)
    return max(flags.seen.values())


def _lateness(volley: Volley, flags: Flags, fired: Sequence[Shot]) -> list[float]:
    """Seconds from each POST until its flag, or that of a newer release of its application, was there."""
    late, soonest = [], dict[str, float]()
    for shot in reversed(fired):
        at = min(flags.seen.get(shot.flag, float("inf")), soonest.get(shot.application, float("inf")))
        soonest[shot.application] = at
        late.append(at - volley.sent[shot.number])
    return late
