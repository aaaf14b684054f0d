"""Syncs of the journal fail again and again, and then the power: what was accepted between has to be there."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from proofs import books
from proofs.bad_disk import BadDisk
from proofs.machine import Machine, until
from proofs.senders import Senders

ROUNDS = 10
SECONDS = 0.1
BETWEEN = 10


def broken_sync(broken: list[str]) -> dict[str, Any]:
    """A row of the table; what does not hold is added to ``broken``."""
    with tempfile.TemporaryDirectory(prefix="duct-tape-proof-") as folder:
        machine = Machine(Path(folder), 4)
        disk = BadDisk(machine)
        senders = Senders(machine.port, machine.names)
        try:
            machine.start()
            senders.start()
            restarts = sum(_round(machine, disk, senders) for _ in range(ROUNDS))
            disk.power_off()
            lost = _lost(machine, set(senders.accepted))
        finally:
            senders.stop()
            machine.close()
    row = {"store": "journal", "fault": "sync error, then no power", "how": "preloaded"}
    if lost:
        broken.append(f"journal, {row['fault']}: {lost} accepted runs were lost")
    refused = senders.answers["503 unavailable"]
    numbers = {"accepted": len(senders.accepted), "recovered": 0.0, "restarts": restarts, "lost": lost}
    return {**row, "refused": refused, **numbers}


def _round(machine: Machine, disk: BadDisk, senders: Senders) -> int:
    """A moment with syncs that fail, and then some releases that are accepted; how often the server ended."""
    restarts, refused = 0, senders.answers["503 unavailable"]

    def meets_it() -> bool:
        return senders.answers["503 unavailable"] > refused or not machine.server.alive

    with disk.failing("sync error", machine.journal.parent):
        until(meets_it, "no sync fails")
        time.sleep(SECONDS)
    if not machine.server.alive:
        restarts = 1
        machine.server.start()
    accepted = len(senders.accepted)
    until(lambda: len(senders.accepted) >= accepted + BETWEEN, "nothing is accepted any more")
    return restarts


def _lost(machine: Machine, accepted: set[str]) -> int:
    copy = machine.folder / "copy"
    shutil.copytree(machine.journal.parent, copy)
    return len(accepted - books.runs(copy / machine.journal.name).keys())
