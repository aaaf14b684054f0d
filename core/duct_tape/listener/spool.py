"""The shared volume as the host sees it: opened once, locked against a second listener, and looked at often."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterable
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from attrs import frozen

from duct_tape.errors import StartupError
from duct_tape.files import clear, own_folder

LOCK = ".listener.lock"

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a link",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
}
_SETUP = "scripts/setup-volume changes that"


@frozen(kw_only=True)
class Entry:
    """Something at the volume's top.

    :param kind: what it is when it is not a regular file, otherwise an empty string.
    """

    name: str
    kind: str
    changed: int
    inode: int


@frozen(eq=False)
class Spool:
    """The opened volume.

    :param top: handle of the folder. It outlives the folder's path, which may be taken away and made again.
    """

    path: Path
    top: int
    lock: int

    @classmethod
    def open(cls, path: Path) -> Spool:
        """Open the volume and lock it.

        :raises StartupError: it is missing, not usable by this user, or another listener has it.
        """
        try:
            top = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise StartupError(f"the shared volume {path} cannot be opened: {error.strerror}") from None
        try:
            return cls(path, top, _locked(path, top))
        except BaseException:
            os.close(top)
            raise

    def close(self) -> None:
        os.close(self.lock)
        os.close(self.top)

    def is_current(self) -> bool:
        """Whether the path still leads to this folder, and the lock in it is still ours."""
        try:
            folder, lock = os.stat(self.path), os.lstat(LOCK, dir_fd=self.top)
        except OSError:
            return False
        return os.path.samestat(folder, os.fstat(self.top)) and os.path.samestat(lock, os.fstat(self.lock))

    def entries(self, names: Iterable[str]) -> list[Entry]:
        """Those of the ``names`` that lie at the top, oldest first."""
        entries = [_entry(self.top, name) for name in names]
        return sorted((item for item in entries if item), key=lambda item: (item.changed, item.name))

    def running(self) -> AbstractContextManager[int]:
        """The folder of the claims, closed to everyone else."""
        return own_folder(self.top, ".running", private=True)

    def results(self) -> AbstractContextManager[int]:
        return own_folder(self.top, ".results")

    def cancel(self) -> AbstractContextManager[int]:
        """The folder in which the container asks for the end of runs."""
        return own_folder(self.top, ".cancel", shared=True)

    def aside(self) -> AbstractContextManager[int]:
        return own_folder(self.top, ".set-aside")

    def doubt(self) -> str | None:
        """A sentence on why the container may not be able to leave flags here, or None when all looks well."""
        mode = os.fstat(self.top).st_mode
        if _has(mode, stat.S_IWOTH | stat.S_IXOTH):
            return f"the shared volume {self.path} is open to every user of this machine: {_SETUP}"
        if not _has(mode, stat.S_IWGRP | stat.S_IXGRP):
            return (
                f"the shared volume {self.path} is not writable by its group, so only a container that runs as root "
                f"or as the folder's owner can leave flags here: {_SETUP}"
            )
        if not _has(mode, stat.S_ISGID):
            return (
                f"the shared volume {self.path} is not setgid, so what one side writes may not be readable by the "
                f"other: {_SETUP}"
            )
        return None


def _has(mode: int, bits: int) -> bool:
    return mode & bits == bits


def _entry(top: int, name: str) -> Entry | None:
    try:
        found = os.lstat(name, dir_fd=top)
    except FileNotFoundError:
        return None
    form = stat.S_IFMT(found.st_mode)
    kind = "" if form == stat.S_IFREG else _KINDS.get(form, "a device")
    return Entry(name=name, kind=kind, changed=found.st_mtime_ns, inode=found.st_ino)


def _locked(path: Path, top: int) -> int:
    try:
        handle = _open_lock(top)
    except OSError as error:
        raise StartupError(
            f"the shared volume {path} cannot be written by user {os.geteuid()} ({error.strerror}): give the folder "
            "to a group that the container's user and this user share, mode 2770 (scripts/setup-volume does that)"
        ) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise StartupError(f"another listener already answers the flags in {path}") from None
    return handle


def _open_lock(top: int) -> int:
    if not os.access(".", os.R_OK | os.W_OK | os.X_OK, dir_fd=top):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(os.lstat(LOCK, dir_fd=top).st_mode):
            clear(top, LOCK)
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    handle = os.open(LOCK, flags, 0o660, dir_fd=top)
    with suppress(OSError):  # Made by another user of the group: then it is as that user left it.
        os.fchmod(handle, 0o660)
    return handle
