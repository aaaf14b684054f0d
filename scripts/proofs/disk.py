"""A disk that is full, read-only or broken: nothing is accepted in vain, and nobody has to start anything again.

Each fault comes to a server and a listener that are at work, once below the journal and once below the shared volume
(disk.c, loaded before them, lets the system calls fail). Where this user may mount, small tmpfs are filled up and made
read-only as well.

  journal     while the fault lasts every release gets 503 with Retry-After; when it is over, 202 again
  volume      releases are accepted, their runs wait and are tried again; when it is over, they are deployed

  refused     answers with 503 while the fault lasted
  accepted    answers with 2xx while it lasted
  recovered   seconds from the end of the fault to the 202, or to the last deploy
  restarts    a server may end itself after an I/O error of its journal; it is started again then, as systemd does
  lost        runs that were accepted, before, meanwhile or after, and came to no good end

After a sync that failed, the disk may have dropped what the next sync does not write again. So one more row breaks
syncs of the journal for a moment, again and again, and then the power fails.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from proofs import books, tmpfs
from proofs.bad_disk import FAULTS, BadDisk
from proofs.broken_sync import broken_sync
from proofs.faults import Case
from proofs.machine import Machine
from proofs.outcome import Outcome

STORES = ("journal", "volume")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--store", choices=STORES, help="only the faults below this one")
    parser.add_argument("--without-mounts", action="store_true", help="not with tmpfs")


def prove(options: argparse.Namespace) -> Outcome:
    stores = [options.store] if options.store else STORES
    rows: list[Mapping[str, Any]] = []
    broken: list[str] = []
    for store in stores:
        with tempfile.TemporaryDirectory(prefix="duct-tape-proof-") as folder:
            _preloaded(Machine(Path(folder), 1), store, rows, broken)
    if "journal" in stores:
        rows.append(broken_sync(broken))
    skipped = {}
    if not options.without_mounts:
        if why := tmpfs.problem():
            skipped = {"skipped": f"tmpfs: {why}"}
        else:
            for store in stores:
                rows += tmpfs.rows(store, broken)
    return Outcome({**skipped, "faults": rows}, tuple(broken))


def _preloaded(machine: Machine, store: str, rows: list[Mapping[str, Any]], broken: list[str]) -> None:
    disk = BadDisk(machine)
    path = machine.journal.parent if store == "journal" else machine.volume
    try:
        machine.start()
        case = Case(machine, store)
        case.healthy()
        for fault in FAULTS:
            case.begin(fault, "preloaded")
            with disk.failing(fault, path):
                case.while_it_lasts()
            case.after()
            rows.append(case.row)
        if not books.rest(machine):
            broken.append(f"the runs do not come to an end after faults of the {store}")
        broken += case.broken
    finally:
        machine.close()
