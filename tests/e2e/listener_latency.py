"""How long from a flag's appearance to the first line of ``bin/deploy``? Not a test: a measurement.

    python -m tests.e2e.listener_latency [--form shell] [--rounds 200]

The flag is written as the container writes it (temporary file, fsync, rename); the time runs from the rename.
"""

from __future__ import annotations

import os
import random
import statistics
import tempfile
import time
from pathlib import Path

import click
from tests.listener_support import COMMANDS, Host, until

from duct_tape.flags import Flag


@click.command()
@click.option("--form", type=click.Choice(sorted(COMMANDS)), default="python", show_default=True)
@click.option("--rounds", default=200, show_default=True)
def main(form: str, rounds: int) -> None:
    """Print the median, the 90th and the 99th percentile, in milliseconds."""
    with tempfile.TemporaryDirectory() as root:
        host = Host(Path(root), form)
        # The shell's own clock, so that no process has to start first.
        app = host.application("app")
        script = app / "bin" / "deploy"
        script.write_text('#!/bin/bash\necho "$DUCT_TAPE_TAG $EPOCHREALTIME" >>begun\n')
        host.start()
        try:
            taken = sorted(_round(host, app / "begun", number) for number in range(rounds))
        finally:
            host.close()
    p90, p99 = taken[int(rounds * 0.9)], taken[int(rounds * 0.99)]
    click.echo(f"{form}: {rounds} flags, median {statistics.median(taken):.1f} ms, p90 {p90:.1f} ms, p99 {p99:.1f} ms")


def _round(host: Host, begun: Path, number: int) -> float:
    time.sleep(random.uniform(0.01, 0.15))  # noqa: S311 - so as not to beat in time with anything
    flag = Flag(run=f"r{number}", application="app", tag=str(number))
    line = flag.to_line().encode()
    temporary = host.volume / ".tmp-latency"
    with temporary.open("wb") as file:
        file.write(line)
        os.fsync(file.fileno())
    before = time.time()
    temporary.rename(host.volume / "app")
    host.state(f"r{number}", "deployed")
    until(lambda: not host.claims())
    tag, moment = begun.read_text().splitlines()[-1].split()
    assert tag == str(number)
    return (float(moment) - before) * 1000


if __name__ == "__main__":
    main()
