"""What is on a disk after the power failed: the model behind ``prove power``, in the worst case that it allows.

- Of a file there is what it held when it was last synced. What was written since is gone.
- Names (create, make a folder, rename, remove) change in one order, as in the journal of ext4 or XFS. The sync of a
  folder makes durable what changed in it, and with it all that came before. What came after is gone. The sync of a
  file makes no name durable, its own neither.

It does not simulate: a sector that is torn in two, writes of one file that reach the disk in another order, a drive
that lies about its cache, a file system that does not order names. Modes are those with which things were made.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from attrs import define

from proofs.outcome import ProofError


@define(eq=False)
class Thing:
    """A file or a folder.

    :param blob: where a file's durable content lies; nothing there means that it is empty. None for a folder.
    """

    mode: int
    blob: str | None = None


class Names:
    """Which path leads to what."""

    def __init__(self, root: Path) -> None:
        self.root, self.things = f"{root}", dict[str, Thing]()
        for folder, folders, files in os.walk(root):
            for name in [*folders, *files]:
                path = f"{folder}/{name}"
                found = os.lstat(path)
                self.things[path] = Thing(found.st_mode & 0o7777, f"{found.st_ino}" if name in files else None)

    def apply(self, kind: str, first: str, second: str, thing: Thing | None) -> None:
        """Carry out one line of the log."""
        if kind in "CM" and thing:
            self.things[first] = thing
        elif kind == "U":
            self.things.pop(first, None)
        elif kind == "R":
            for path in [path for path in self.things if path == first or path.startswith(f"{first}/")]:
                self.things[second + path.removeprefix(first)] = self.things.pop(path)

    def write(self, blobs: Path, target: Path) -> None:
        """Make it all in the folder ``target``."""
        for path, thing in sorted(self.things.items()):
            made = target / os.path.relpath(path, self.root)
            if thing.blob is None:
                made.mkdir()
            elif (blob := blobs / thing.blob).exists():
                shutil.copyfile(blob, made)
            else:
                made.touch()
            made.chmod(thing.mode)


def after(base: Names, log: bytes) -> Names:
    """The names that are left of ``base`` and what the log says; ``base`` itself is changed."""
    lines = list(_lines(log))
    things = _things(base, lines)
    for number, (_, kind, first, second) in enumerate(lines[: _durable(lines)]):
        base.apply(kind, first, second, things.get(number))
    return base


def _lines(log: bytes) -> Iterator[tuple[int, str, str, str]]:
    offset = 0
    for line in log.decode().splitlines(keepends=True):
        kind, first, second = line.rstrip("\n").split("\t")
        if kind == "X":
            raise ProofError(f"the model knows nothing of this: {first} {second}")
        yield offset, kind, first, second
        offset += len(line.encode())


def _durable(lines: list[tuple[int, str, str, str]]) -> int:
    """How many lines of the log reached the disk."""
    touched: dict[str, int] = {}
    durable = 0
    for number, (_, kind, first, second) in enumerate(lines):
        if kind == "S":
            durable = max(durable, touched.get(first, 0))
            continue
        for path in (first, second) if kind == "R" else (first,):
            touched[os.path.dirname(path)] = number + 1
    return durable


def _things(base: Names, lines: list[tuple[int, str, str, str]]) -> dict[int, Thing]:
    """What the log made, by line. The blob of a file whose inode was used again bears the line that did so."""
    holders = {thing.blob: thing for thing in base.things.values() if thing.blob}
    made: dict[int, Thing] = {}
    for number, (offset, kind, _, second) in enumerate(lines):
        if kind == "M":
            made[number] = Thing(int(second, 8))
        elif kind == "C":
            inode, mode = second.split()
            if older := holders.get(inode):
                older.blob = f"{inode}@{offset}"
            made[number] = holders[inode] = Thing(int(mode, 8), inode)
    return made
