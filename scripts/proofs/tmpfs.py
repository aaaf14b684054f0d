"""The same faults with real file systems, for users who may mount."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path
from typing import Any

from proofs.faults import Case
from proofs.machine import Machine

SIZE = "2m"


def problem() -> str:
    """Why nothing can be mounted here, or an empty string."""
    with tempfile.TemporaryDirectory(prefix="duct-tape-proof-") as folder:
        try:
            with _mounted(Path(folder)):
                return ""
        except (OSError, subprocess.CalledProcessError):
            return "this user may not mount"


def rows(store: str, broken: list[str]) -> list[Mapping[str, Any]]:
    """The table's rows for a store; what does not hold is added to ``broken``."""
    faults = ["full"] if store == "journal" else ["full", "read-only"]
    return [_row(store, fault, broken) for fault in faults]


def _row(store: str, fault: str, broken: list[str]) -> Mapping[str, Any]:
    with tempfile.TemporaryDirectory(prefix="duct-tape-proof-") as folder:
        machine = Machine(Path(folder), 1)
        path = machine.journal.parent if store == "journal" else machine.volume
        path.mkdir(exist_ok=True)
        with _mounted(path):
            path.chmod(0o2770)
            try:
                return _case(machine, store, fault, path, broken)
            finally:
                machine.close()


def _case(machine: Machine, store: str, fault: str, path: Path, broken: list[str]) -> Mapping[str, Any]:
    case = Case(machine, store)
    machine.start()
    case.healthy()
    case.begin(fault, "tmpfs")
    if fault == "full":
        with _filled(path):
            case.while_it_lasts(exact=store == "volume")
    else:
        # Nothing can be made read-only while the listener holds its lock open for writing.
        machine.listener.kill()
        _mount("-o", "remount,ro", f"{path}")
        case.while_it_lasts()
        _mount("-o", "remount,rw", f"{path}")
        machine.listener.start()
    case.after()
    broken += case.broken
    return case.row


@contextmanager
def _mounted(path: Path) -> Iterator[None]:
    _mount("-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", f"{path}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", f"{path}"], check=True)


def _mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True, capture_output=True)


@contextmanager
def _filled(path: Path) -> Iterator[None]:
    filler = path / ".filler"
    with filler.open("wb", buffering=0) as file:
        while _written(file):
            pass
    try:
        yield
    finally:
        filler.unlink()


def _written(file: RawIOBase) -> bool:
    try:
        return bool(file.write(b"\0" * 4096))
    except OSError:
        return False
