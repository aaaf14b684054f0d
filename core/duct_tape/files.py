"""Files and folders below a handle, in a place where a stranger can rename and replace anything at any time.

Every name is looked up in an opened folder and no link is followed, so that what was checked is what is used.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def opened(parent: int, name: str) -> Iterator[int]:
    """A handle of the folder ``name``."""
    handle = os.open(name, FOLDER, dir_fd=parent)
    try:
        yield handle
    finally:
        os.close(handle)


@contextmanager
def own_folder(parent: int, name: str, *, private: bool = False, shared: bool = False) -> Iterator[int]:
    """A handle of a folder that belongs to Duct Tape; it is made when it is missing or cannot be used.

    :param private: nobody but this user may look inside; otherwise the folder's group may read.
    :param shared: the folder's group may write, too: the other side of the volume.
    """
    mode = 0o700 if private else 0o770 if shared else 0o750
    handle = _open(parent, name)
    if handle is None or not _usable(handle, private):
        if handle is not None:
            os.close(handle)
        clear(parent, name)
        os.mkdir(name, mode, dir_fd=parent)
        handle = os.open(name, FOLDER, dir_fd=parent)
        # The umask must not decide who can read; setgid is handed down by the parent and stays.
        os.fchmod(handle, stat.S_IMODE(os.fstat(handle).st_mode) | mode)
    try:
        yield handle
    finally:
        os.close(handle)


def clear(parent: int, name: str) -> None:
    """Out of the way with what bears a name of ours; a folder, which may hold something, keeps its content."""
    try:
        os.unlink(name, dir_fd=parent)
    except FileNotFoundError:
        return
    except (IsADirectoryError, PermissionError):
        os.rename(name, f".foreign-{secrets.token_hex(8)}", src_dir_fd=parent, dst_dir_fd=parent)


def write(folder: int, name: str, content: bytes, *, durable: bool = False) -> None:
    """Make the file ``name`` appear with ``content``, in place of one that is there already."""
    temporary = f".tmp-{secrets.token_hex(8)}"
    handle = create(folder, temporary)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(handle)
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        with suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise


def create(folder: int, name: str) -> int:
    """A handle of the new file ``name``, which the folder's group can read."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(name, flags, 0o640, dir_fd=folder)
    os.fchmod(handle, 0o640)
    return handle


def read(folder: int, name: str, limit: int, offset: int = 0) -> bytes:
    """At most ``limit`` bytes of the regular file ``name``; never waits for the writer of a pipe.

    :param offset: where to begin; there is nothing behind the file's end.
    :raises OSError: it cannot be read, or it is not a regular file.
    """
    handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    try:
        # Asked before Python opens it: for a folder that raises, and leaves the handle open.
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", name)
        with os.fdopen(handle, "rb", closefd=False) as file:
            file.seek(offset)
            return file.read(limit)
    finally:
        os.close(handle)


def _open(parent: int, name: str) -> int | None:
    try:
        return os.open(name, FOLDER, dir_fd=parent)
    except OSError:
        return None


def _usable(handle: int, private: bool) -> bool:
    if not private:
        return os.access(".", os.W_OK | os.X_OK, dir_fd=handle)
    found = os.fstat(handle)
    return found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
