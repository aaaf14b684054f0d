"""Nothing accepted is lost while server and listener are killed again and again.

Senders post signed releases of several applications and write down every answer that accepts one. Meanwhile the
server or the listener is ended with SIGKILL, 50 to 400 ms after it began to work, and started again. At the end
everything may come to rest, and then:

  lost        accepted runs that neither were deployed nor made way for a newer release of their application
  stale       applications whose newest accepted release is not the last one that was deployed
  duplicates  releases that were sent again because the answer was lost, and that were known
  repeated    deploys beyond the first of a run; a kill can interrupt one deploy of each application, so there
              may be no more than kills times applications
  integrity   what SQLite says of the journal
"""

from __future__ import annotations

import argparse
import itertools
import random
import signal
import tempfile
import time
from pathlib import Path

from proofs.books import counted, rest, verdict
from proofs.machine import Machine
from proofs.outcome import Outcome
from proofs.senders import Senders


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to send and kill (default: 60)")
    parser.add_argument("--applications", type=int, default=4, help="how many applications (default: 4)")


def prove(options: argparse.Namespace) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="duct-tape-proof-") as folder:
        machine = Machine(Path(folder), options.applications)
        senders = Senders(machine.port, machine.names)
        try:
            return _prove(machine, senders, options.seconds)
        finally:
            senders.stop()
            machine.close()


def _prove(machine: Machine, senders: Senders, seconds: float) -> Outcome:
    machine.start()
    senders.start()
    deadline = time.monotonic() + seconds
    for victim in itertools.cycle(machine.victims):
        # On a machine that is busy with something else a start may take all of a short time.
        if time.monotonic() > deadline and senders.accepted and all(each.kills for each in machine.victims):
            break
        time.sleep(random.uniform(0.05, 0.4))
        victim.kill()
        victim.start()
    senders.stop()
    rest(machine)
    kills = {victim.name: victim.kills for victim in machine.victims}
    for victim in machine.victims:
        victim.kill(signal.SIGTERM)
    figures = {"seconds": seconds, "kills": kills, **counted(machine, senders)}
    broken = verdict(figures)
    if figures["repeated"] > (most := sum(kills.values()) * len(machine.names)):
        broken.append(f"{figures['repeated']} deploys were repeated, and the kills explain {most}")
    return Outcome(figures, tuple(broken))
