"""A disk that can fail: ``disk.c``, compiled here, and what a proof does with it."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from proofs.crash import Names, after
from proofs.machine import Machine
from proofs.outcome import ProofError

SOURCE = Path(__file__).with_name("disk.c")
# w write, s sync, c create, o open for writing, n change of names
FAULTS = {
    "full": (errno.ENOSPC, "wcn"),
    "read-only": (errno.EROFS, "wscon"),
    "write error": (errno.EIO, "w"),
    "sync error": (errno.EIO, "s"),
}


class BadDisk:
    """The folder ``disk`` of a machine, on a disk that can fail.

    :param ignore: a part of a path; syncs of such paths are ignored.
    :raises ProofError: there is no C compiler, or it fails.
    """

    def __init__(self, machine: Machine, ignore: str = "") -> None:
        self._machine = machine
        self._shadow = machine.folder / "shadow"
        self._shadow.mkdir()
        self._fault = self._shadow / "fault"
        environment = {"LD_PRELOAD": compiled(machine.folder), "DISK_ROOT": f"{machine.disk}"}
        machine.preload({**environment, "DISK_SHADOW": f"{self._shadow}"} | ({"DISK_IGNORE": ignore} if ignore else {}))
        self.power_on()

    def power_on(self) -> None:
        """From here on what is there now is durable; nobody may be using it yet."""
        self._base = Names(self._machine.disk)
        (self._shadow / "log").write_bytes(b"")
        shutil.rmtree(self._shadow / "blob", ignore_errors=True)
        (self._shadow / "blob").mkdir()
        for path in self._machine.disk.rglob("*"):
            if path.is_file():
                shutil.copyfile(path, self._shadow / "blob" / f"{path.stat().st_ino}")

    def power_off(self) -> None:
        """End everything in one moment, and lose what was not synced."""
        with (self._shadow / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for victim in self._machine.victims:
                victim.kill()
        left = self._machine.folder / "left"
        left.mkdir()
        after(self._base, (self._shadow / "log").read_bytes()).write(self._shadow / "blob", left)
        for path in self._machine.disk.iterdir():
            shutil.rmtree(path)
        for path in left.iterdir():
            path.rename(self._machine.disk / path.name)
        left.rmdir()

    @contextmanager
    def failing(self, fault: str, path: Path) -> Iterator[None]:
        """Everything whose path begins with ``path`` fails in this way."""
        number, operations = FAULTS[fault]
        new = self._shadow / "fault.new"
        new.write_text(f"{number} {operations} {path}")
        new.rename(self._fault)
        try:
            yield
        finally:
            self._fault.unlink()


def compiled(folder: Path) -> str:
    """The library, made in ``folder``."""
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        raise ProofError("this proof needs a C compiler: apt install gcc libc6-dev")
    library = f"{folder / 'disk.so'}"
    made = subprocess.run(
        [compiler, "-O2", "-shared", "-fPIC", "-o", library, f"{SOURCE}", "-pthread"],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise ProofError(f"{SOURCE.name} cannot be compiled (apt install gcc libc6-dev):\n{made.stderr}")
    return library
