"""A constant rate for as long as you like: memory, open files and the journal's log stay bounded.

Senders post signed releases of several applications at a constant rate, the listener deploys them with scripts that
do next to nothing, and every few seconds a sample is taken of both processes and of what they keep on disk:

  memory       resident memory of server and listener, MB: from the second to the last quarter of the samples it may
               grow by a tenth and 5 MB
  files        open files of both: as many as before, and a few that are open for a moment
  log          the journal's write-ahead log, MB: it has a limit
  journal      the journal itself, MB: it grows with every run, and is only shown
  results      entries of the folder for results: the listener removes old ones, but none of the last ten minutes

Nothing may be lost, as in `prove kill`.
"""

from __future__ import annotations

import argparse
import csv
import os
import signal
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import asdict, frozen

from proofs import books
from proofs.machine import Machine, Victim
from proofs.outcome import Outcome, ProofError
from proofs.senders import Senders

MB = 1024 * 1024
# Growth of memory that is no leak: a tenth, and 5 MB.
FACTOR, MORE = 1.1, 5.0
# Open files of a moment: flags, logs and pipes of deploys, connections.
FILES = 12
# The journal's `journal_size_limit` is 16 MB; a transaction or two may be on top of that.
MOST_LOG = 24.0


@frozen
class Sample:
    """What there is at one moment; sizes in MB."""

    second: float
    server_memory: float
    listener_memory: float
    server_files: int
    listener_files: int
    log: float
    journal: float
    results: int


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=60.0, help="how long (default: 60)")
    parser.add_argument("--rate", type=float, default=20.0, help="releases per second (default: 20)")
    parser.add_argument("--applications", type=int, default=4, help="how many applications (default: 4)")
    parser.add_argument("--every", type=float, help="seconds between two samples (default: a 60th of --seconds)")
    parser.add_argument("--samples", type=Path, metavar="FILE", help="write the samples there, as CSV")


def prove(options: argparse.Namespace) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="duct-tape-proof-") as folder:
        machine = Machine(Path(folder), options.applications)
        senders = Senders(machine.port, machine.names, options.rate)
        try:
            machine.start()
            senders.start()
            samples = _sampled(machine, options.seconds, options.every or options.seconds / 60)
            senders.stop()
            books.rest(machine)
            for victim in machine.victims:
                victim.kill(signal.SIGTERM)
            figures = {"seconds": options.seconds, "rate": options.rate, **books.counted(machine, senders)}
        finally:
            senders.stop()
            machine.close()
    if options.samples:
        _write(options.samples, samples)
    return judged(figures, samples)


def judged(figures: dict[str, Any], samples: Sequence[Sample]) -> Outcome:
    """The figures with those of the samples, and what does not hold."""
    rows = [_row(name, samples) for name in asdict(samples[0]) if name != "second"]
    quarters = {row["of"]: row for row in rows}
    broken = books.verdict(figures)
    for name in ("server_memory", "listener_memory"):
        if quarters[name]["last"] > quarters[name]["second"] * FACTOR + MORE:
            broken.append(
                f"{name.replace('_', ' ')} grew from {quarters[name]['second']} to {quarters[name]['last']} MB"
            )
    for name in ("server_files", "listener_files"):
        if quarters[name]["last"] > quarters[name]["second"] + FILES:
            broken.append(f"{name.replace('_', ' ')} grew from {quarters[name]['second']} to {quarters[name]['last']}")
    if (most := max(sample.log for sample in samples)) > MOST_LOG:
        broken.append(f"the journal's write-ahead log had {most:.0f} MB")
    return Outcome({**figures, "samples": len(samples), "quarters": rows}, tuple(broken))


def _row(name: str, samples: Sequence[Sample]) -> dict[str, Any]:
    """Medians of the quarters of one column, and how fast it grows per hour."""
    values = [float(getattr(sample, name)) for sample in samples]
    quarter = max(1, len(values) // 4)
    medians = [round(statistics.median(values[at : at + quarter]), 2) for at in (0, quarter, len(values) - quarter)]
    slope = 0.0
    if len(samples) > 2:
        slope = statistics.linear_regression([sample.second for sample in samples], values).slope * 3600
    first, second, last = medians
    return {
        "of": name,
        "first": first,
        "second": second,
        "last": last,
        "most": max(values),
        "per_hour": round(slope, 2),
    }


def _sampled(machine: Machine, seconds: float, every: float) -> list[Sample]:
    samples: list[Sample] = []
    began = time.monotonic()
    while (now := time.monotonic() - began) < seconds:
        samples.append(_sample(machine, now))
        time.sleep(max(0.0, len(samples) * every - (time.monotonic() - began)))
    return samples


def _sample(machine: Machine, second: float) -> Sample:
    results = machine.volume / ".results"
    return Sample(
        round(second, 1),
        _memory(machine.server),
        _memory(machine.listener),
        len(os.listdir(f"/proc/{machine.server.pid}/fd")),
        len(os.listdir(f"/proc/{machine.listener.pid}/fd")),
        _size(Path(f"{machine.journal}-wal")),
        _size(machine.journal),
        len(os.listdir(results)) if results.exists() else 0,
    )


def _memory(victim: Victim) -> float:
    try:
        lines = Path(f"/proc/{victim.pid}/status").read_text().splitlines()
    except OSError:
        raise ProofError(f"the {victim.name} ended by itself\n{victim.log()}") from None
    [line] = [line for line in lines if line.startswith("VmRSS:")]
    return round(int(line.split()[1]) / 1024, 2)


def _size(path: Path) -> float:
    return round(path.stat().st_size / MB, 2) if path.exists() else 0.0


def _write(path: Path, samples: Sequence[Sample]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, asdict(samples[0]))
        writer.writeheader()
        writer.writerows(asdict(sample) for sample in samples)
