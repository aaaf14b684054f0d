"""One fault of the journal's or the volume's disk, from its beginning until everything works again."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from proofs import books
from proofs.machine import Machine, until
from proofs.senders import Answer, Connection, delivery

POSTS = 5
# Attempts that show that a run is tried again and not only once.
ATTEMPTS = 2
# The longest pause between two attempts is a minute.
RECOVERY = 90.0
# After an I/O error of its journal a server may end itself, so that its supervisor starts it anew.
MAY_END = ("write error", "sync error")


class Case:
    """A machine with one application, and what its disk does to it."""

    def __init__(self, machine: Machine, store: str) -> None:
        self.machine, self.store = machine, store
        self.row: dict[str, Any] = {}
        self.broken: list[str] = []
        self.accepted: list[str] = []
        self._connection = Connection(machine.port)
        self._number = 0

    def healthy(self) -> None:
        """One release is accepted and deployed."""
        self._until_accepted()
        self._until_deployed("nothing is deployed although nothing is wrong")

    def begin(self, fault: str, how: str) -> None:
        """A new row of the table."""
        numbers = {"refused": 0, "accepted": 0, "recovered": 0.0, "restarts": 0, "lost": 0}
        self.row = {"store": self.store, "fault": fault, "how": how, **numbers}

    def while_it_lasts(self, *, exact: bool = True) -> None:
        """Send while the disk fails, and see that the right thing happens.

        :param exact: whether the first release meets the fault; a disk that was just filled may hold some more.
        """
        for _ in range(POSTS if exact else 100 * POSTS):
            self._post_into_fault(exact)
            if self.row["refused"] >= POSTS:
                break
        if self.store == "volume":
            run = self.accepted[-1]
            until(lambda: self._run(run).attempts >= ATTEMPTS, f"run {run} is not tried again ({self._run(run)})")
        elif self.row["refused"] < POSTS:
            self._breaks(f"{self.row['refused']} of {POSTS} answers were 503")

    def after(self) -> None:
        """The fault is over: it works again, without anybody's help."""
        began = time.monotonic()
        if self.store == "journal":
            self._until_accepted()
        self.row["recovered"] = time.monotonic() - began
        self._until_deployed(f"{self.row['fault']} is over, and the runs are not carried out")
        if self.store == "volume":
            self.row["recovered"] = time.monotonic() - began
        if not self.machine.listener.alive:
            self._breaks("the listener ended")
        rows = books.runs(self.machine.journal)
        times = Counter(run for _, run, _ in self.machine.deploys())
        self.row["lost"] = len(books.lost(self.accepted, rows, times))
        if self.row["lost"]:
            self._breaks(f"{self.row['lost']} runs were lost")

    def _post_into_fault(self, exact: bool) -> None:
        answer = self._post()
        if answer is None:
            self._supervise()
            self.row["refused"] += self.store == "journal"
        elif answer.code == 503 and self.store == "journal":
            self.row["refused"] += 1
            if not answer.headers.get("retry-after", "").isdigit():
                self._breaks("a 503 has no Retry-After")
        else:
            self.row["accepted"] += answer.code < 300
            if answer.code != 202 or (exact and self.store == "journal"):
                self._breaks(f"the answer was {answer.code}")

    def _post(self, again: bool = False) -> Answer | None:
        self._number += not again
        answer = self._connection.post(*delivery(self.machine.names[0], self._number))
        self.accepted += answer.runs if answer else []
        return answer

    def _until_accepted(self) -> None:
        """Send one release, again and again as senders do, until it is accepted."""
        self._number += 1

        def accepted() -> bool:
            self._supervise()
            answer = self._post(again=True)
            return answer is not None and answer.code in (200, 202) and bool(answer.runs)

        until(accepted, f"nothing is accepted\n{self.machine.server.log()}", RECOVERY, 0.1)

    def _until_deployed(self, otherwise: str) -> None:
        latest = self.accepted[-1]
        until(lambda: self._run(latest).state == "deployed", otherwise, RECOVERY, 0.05)
        until(lambda: all(self._run(run).state in books.ENDED for run in self.accepted), otherwise, RECOVERY, 0.05)

    def _run(self, run: str) -> books.Row:
        return books.runs(self.machine.journal).get(run) or books.Row(run, "", "missing", 0, "", "")

    def _supervise(self) -> None:
        server = self.machine.server
        if server.alive:
            return
        code = server.process.returncode if server.process else 0
        if self.row.get("fault") not in MAY_END or self.store != "journal" or not code:
            self._breaks(f"the server ended with exit code {code}")
        if self.row:
            self.row["restarts"] += 1
        server.spawn()

    def _breaks(self, sentence: str) -> None:
        words = f"{self.row.get('store')}, {self.row.get('fault')} ({self.row.get('how')}): {sentence}"
        if words not in self.broken:
            self.broken.append(words)
