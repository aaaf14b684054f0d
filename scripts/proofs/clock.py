"""A clock that jumps by a day: no storm of attempts, and no run is forgotten.

Server and listener run with libfaketime, so that their clock can be set while they work; what counts seconds that
have passed goes on as it was, as on a real machine. For each direction:

  1. a release is deployed;
  2. the shared volume is taken away, and releases come in whose runs cannot be carried out;
  3. the clock jumps by a day, and for some seconds nothing else changes;
  4. the volume is there again.

  attempts    the most of any run; each waits about twice as long as the one before, so it stays small
  resumed     seconds from 4. until every run was deployed or made way for a newer one: no more than the longest pause
              between two attempts, a minute
  unended     runs that came to another end, or to none
  recorded    whether the journal knows how a release was deployed that came after all of this
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from proofs import books
from proofs.machine import Machine, until
from proofs.outcome import Outcome, ProofError
from proofs.senders import Connection, delivery

DAY, HOUR = 86400, 3600
LIBRARIES = ("/usr/lib/*/faketime", "/usr/lib/faketime", "/usr/lib64/faketime", "/usr/local/lib/faketime")
# With 0.5 s before the second attempt, and each pause at random up to twice the one before.
MOST_ATTEMPTS = 25
# The clock is looked up once in a second.
NOTICED = 1.5
# The longest pause, and what a busy machine needs.
CAP = 60.0
SLACK = 30.0


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=10.0, help="how long the jump may do harm (default: 10)")
    parser.add_argument("--direction", choices=["forwards", "backwards"], help="only this one")


def prove(options: argparse.Namespace) -> Outcome:
    rows: list[Mapping[str, Any]] = []
    broken: list[str] = []
    for direction, jump in (("forwards", DAY), ("backwards", -DAY)):
        if options.direction in (None, direction):
            with tempfile.TemporaryDirectory(prefix="duct-tape-proof-") as folder:
                row = _Jump(Machine(Path(folder), 4), jump).run(options.seconds)
            broken += [f"{direction}: {sentence}" for sentence in judged(row)]
            rows.append({"direction": direction, **row})
    return Outcome({"jumps": rows}, tuple(broken))


def judged(row: Mapping[str, Any]) -> list[str]:
    """What does not hold in a row."""
    sentences = {
        f"a run was tried {row['attempts']} times in {row['seconds']:.0f} seconds": row["attempts"] > MOST_ATTEMPTS,
        f"{row['unended']} runs were not carried out ({row['why']})": row["unended"] > 0,
        f"it took {row['resumed']:.0f} seconds until the runs were carried out": row["resumed"] > CAP + SLACK,
        "how a release was deployed was not recorded": not row["recorded"],
        "a process ended": row["ended"],
    }
    return [sentence for sentence, wrong in sentences.items() if wrong]


class _Jump:
    def __init__(self, machine: Machine, seconds: int) -> None:
        self.machine = machine
        self._seconds = seconds
        self._offset = machine.folder / "offset"
        self._set(0)
        environment = {
            "LD_PRELOAD": library(),
            "FAKETIME_TIMESTAMP_FILE": f"{self._offset}",
            "FAKETIME_CACHE_DURATION": "1",
            # Else every process that is started would begin at its own zero, and what waits would wait for ever.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        machine.preload({**environment, "DONT_FAKE_MONOTONIC": "1"})

    def run(self, seconds: float) -> dict[str, Any]:
        """One row of the table."""
        try:
            self.machine.start()
            self._deployed(self._send(1))
            away = self.machine.folder / "away"
            self.machine.volume.rename(away)
            waiting = [run for number in (2, 3) for run in self._send(number)]
            until(lambda: self._attempts(waiting) >= 1, "no run is tried")
            self._jump(waiting, seconds)
            attempts = self._attempts(waiting)
            away.rename(self.machine.volume)
            began = time.monotonic()
            self._rest(waiting)
            resumed = time.monotonic() - began
            ended = not all(victim.alive for victim in self.machine.victims)
            bad = [run for run in self._rows(waiting) if run.state not in books.ENDED]
            why = bad[0].detail if bad else ""
            row = {"seconds": seconds, "attempts": attempts, "resumed": resumed, "unended": len(bad), "why": why}
            return {**row, "recorded": self._recorded(), "ended": ended}
        finally:
            self.machine.close()

    def _jump(self, waiting: Sequence[str], seconds: float) -> None:
        """Set the clock, and wait at least until a run was tried under it."""
        self._set(self._seconds)
        time.sleep(NOTICED)
        before = self._rows(waiting)
        time.sleep(max(0.0, seconds - NOTICED))
        # One that failed already is not tried again.
        if any(row.state == "accepted" for row in before):
            until(lambda: self._rows(waiting) != before, "no run is tried again", CAP + SLACK)

    def _set(self, seconds: int) -> None:
        new = self._offset.with_suffix(".new")
        new.write_text(f"{seconds:+d}s\n")
        new.rename(self._offset)

    def _send(self, number: int) -> list[str]:
        """The release ``v<number>`` of every application; its runs."""
        # A connection of its own: the server closes those that were idle.
        connection = Connection(self.machine.port)
        answers = [connection.post(*delivery(name, number)) for name in self.machine.names]
        connection.close()
        runs = [run for answer in answers if answer for run in answer.runs]
        if len(runs) != len(self.machine.names):
            raise ProofError(f"not every release was accepted: {answers}")
        return runs

    def _rows(self, runs: Sequence[str]) -> list[books.Row]:
        rows = books.runs(self.machine.journal)
        return [rows[run] for run in runs]

    def _attempts(self, runs: Sequence[str]) -> int:
        return max(row.attempts for row in self._rows(runs))

    def _deployed(self, runs: Sequence[str]) -> None:
        until(lambda: all(row.state == "deployed" for row in self._rows(runs)), "nothing is deployed")

    def _rest(self, runs: Sequence[str]) -> None:
        """Until every run has come to some end, or clearly will not."""
        waiting = ("accepted", "flagged", "deploying")
        with suppress(ProofError):
            until(lambda: not any(row.state in waiting for row in self._rows(runs)), "runs wait", CAP + 2 * SLACK, 0.05)

    def _recorded(self) -> bool:
        """Whether all is well with a release that comes now, under the clock that has jumped."""
        runs = self._send(4)
        jumped = self._rows(runs)[0].created_at - time.time()
        if abs(jumped - self._seconds) > HOUR:
            raise ProofError(f"the clock of the server did not jump: it is {jumped:.0f} seconds ahead")
        try:
            self._deployed(runs)
        except ProofError:
            return False
        return True


def library() -> str:
    """Where libfaketime lies, in the form for threads.

    :raises ProofError: it is not installed.
    """
    for pattern in LIBRARIES:
        for found in sorted(Path("/").glob(f"{pattern[1:]}/libfaketimeMT.so*")):
            return f"{found}"
    raise ProofError("this proof needs libfaketime: apt install libfaketime")
