"""Nothing accepted is lost when the power fails and what was not synced is gone.

Server and listener run on a disk that forgets what was not synced (disk.c, loaded before them). Senders post signed
releases. Again and again, at a random moment, also while both are starting, the power fails: everything is ended, and
the disk is put back to what was really synced. After each failure, and again at the end:

  lost        accepted runs that are not in the journal, or came to no good end
  flagless    runs whose flag is in the volume as the journal says, while neither it, nor its claim, nor its result,
              nor those of a newer run of the application are there
  stale       applications whose newest accepted release is not the last one that was deployed
  repeated    deploys beyond the first of a run; a deploy whose record was not synced is done again
  integrity   what SQLite says of the journal

--sabotage makes syncs do nothing. Then the proof has to fail, or it shows nothing.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from attrs import define, field

from duct_tape.api import Flag
from proofs import books
from proofs.bad_disk import BadDisk
from proofs.machine import Machine, until
from proofs.outcome import Outcome, ProofError
from proofs.senders import Senders

# So many are accepted at least before the power fails, so that there is something to lose.
FEW = 10
SABOTAGE = {"": "", "journal": "journal.sqlite3", "flags": "/shared_volume"}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--failures", type=int, default=30, help="how often the power fails (default: 30)")
    parser.add_argument("--applications", type=int, default=4, help="how many applications (default: 4)")
    parser.add_argument("--sabotage", choices=[*SABOTAGE][1:], default="", help="whose syncs do nothing")


def prove(options: argparse.Namespace) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="duct-tape-proof-") as folder:
        machine = Machine(Path(folder), options.applications)
        disk = BadDisk(machine, SABOTAGE[options.sabotage])
        senders = Senders(machine.port, machine.names)
        try:
            return _Proof(machine, disk, senders).run(options.failures)
        finally:
            senders.stop()
            machine.close()


@define(eq=False)
class _Proof:
    machine: Machine
    disk: BadDisk
    senders: Senders
    lost: set[str] = field(factory=set)
    flagless: set[str] = field(factory=set)
    damaged: str = "ok"

    def run(self, failures: int) -> Outcome:
        self.senders.start()
        for number in range(failures):
            self._work(starting=number % 4 == 3)
            self.disk.power_off()
            self._look()
            self.disk.power_on()
        self.machine.start()
        self.senders.stop()
        # What was lost will not come back, however long one waits.
        rested = not self.lost and not self.flagless and books.rest(self.machine)
        for victim in self.machine.victims:
            victim.kill(signal.SIGTERM)
        return self._outcome(failures, rested)

    def _work(self, starting: bool) -> None:
        """Until the moment of the failure, which may come while both are still starting."""
        before = len(self.senders.accepted)
        for victim in self.machine.victims:
            victim.spawn()
        if starting:
            time.sleep(random.uniform(0.0, 0.5))
            return
        until(lambda: len(self.senders.accepted) > before + FEW or not self._alive(), "nothing is accepted")
        if not self._alive():
            raise ProofError("".join(f"{victim.name}:\n{victim.log()}" for victim in self.machine.victims))
        time.sleep(random.uniform(0.0, 1.0))

    def _alive(self) -> bool:
        return all(victim.alive for victim in self.machine.victims)

    def _look(self) -> None:
        """What the disk holds after a failure, before anything repairs it."""
        accepted = list(self.senders.accepted)
        copy = self.machine.folder / "copy"
        journal = copy / self.machine.journal.name
        shutil.copytree(self.machine.journal.parent, copy) if self.machine.journal.exists() else copy.mkdir()
        try:
            rows = books.runs(journal) if journal.exists() and journal.stat().st_size else {}
            self.damaged = books.integrity(journal) if rows and self.damaged == "ok" else self.damaged
        except Exception as error:  # Whatever SQLite says of what is left.
            rows, self.damaged = {}, f"{error}"
        shutil.rmtree(copy)
        self.lost |= set(accepted) - rows.keys()
        self.flagless |= flagless(rows.values(), evidence(self.machine.volume))

    def _outcome(self, failures: int, rested: bool) -> Outcome:
        figures = {"failures": failures, **books.counted(self.machine, self.senders)}
        figures |= {"flagless": len(self.flagless), "lost": max(figures["lost"], len(self.lost))}
        figures["integrity"] = self.damaged if self.damaged != "ok" else figures["integrity"]
        broken = books.verdict(figures)
        if self.flagless:
            broken.append(f"the flags of {len(self.flagless)} runs were lost")
        if not rested and not broken:
            broken.append("the runs did not come to an end")
        return Outcome(figures, tuple(broken))


def evidence(volume: Path) -> dict[str, str]:
    """The newest run of each application of which the volume holds anything."""
    newest: dict[str, str] = {}
    for run, application in _said(volume):
        newest[application] = max(run, newest.get(application, ""))
    return newest


def _said(volume: Path) -> Iterator[tuple[str, str]]:
    for path in volume.rglob("*"):
        flag = path.parent == volume and not path.name.startswith(".")
        ours = flag or path.parts[-3] == ".running" or path.parent.name == ".results"
        # A result holds a run and an application under the same names as a flag.
        if ours and path.is_file() and (said := Flag.parse(path.read_bytes())):
            yield said.run, said.application


def flagless(rows: Iterable[books.Row], newest: Mapping[str, str]) -> set[str]:
    """Runs that wait for the listener, which will never hear of them. Ids of runs sort by time."""
    waiting = [row for row in rows if row.state in ("flagged", "deploying")]
    return {row.id for row in waiting if newest.get(row.application, "") < row.id}
