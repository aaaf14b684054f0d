"""The shared volume: the only thing that the container can change on the host.

Every file appears atomically and durably (temporary file, fsync, rename, fsync of the folder), through a
handle of the folder, and no link is ever followed: the other side of the volume is not trusted.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from attrs import frozen

from duct_tape.errors import PermanentError, StartupError
from duct_tape.results import MAX_RESULT_BYTES

RESULTS = ".results"
TEMPORARY = ".tmp-"
LEFT_BEHIND_SECONDS = 3600.0

# ext4, xfs and btrfs allow 255 bytes; what is left is for temporary names and for suffixes.
MAX_NAME_BYTES = 200

# Also the marks that turn the direction of writing: they make a listing show another name than there is.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def name_problem(name: str) -> str | None:
    """Why ``name`` is not one safe path component, or None when it is one."""
    if not name or name != name.strip():
        return "it is empty or begins or ends with a blank"
    if "/" in name:
        return "it holds a slash"
    if name[0] in ".-":
        return f"it begins with {name[0]!r}"
    if _CONTROL.search(name):
        return "it holds a control character"
    try:
        size = len(name.encode("utf-8"))
    except UnicodeEncodeError:
        return "it is not valid Unicode"
    return f"it is longer than {MAX_NAME_BYTES} bytes" if size > MAX_NAME_BYTES else None


def safe_name(name: str) -> str:
    """``name`` itself, if it is one safe path component.

    :raises PermanentError: it is not. A name is refused, never repaired: the filter ``filename`` is there
        for those who want any text to become a name.
    """
    if problem := name_problem(name):
        raise PermanentError(f"{name[:100]!r} is not a safe file name: {problem}")
    return name


@frozen
class Volume:
    """The folder that the container and the host share.

    :param path: the folder. It is opened anew for every operation, since it may be taken away and made
        again (``docker compose down -v``) while the server runs.
    """

    path: Path

    def put(self, name: str, content: bytes) -> bytes | None:
        """Make the file ``name`` appear with ``content``, in place of one that is there already.

        :returns: the start of the content that was replaced, or None when there was none.
        :raises PermanentError: the name is not safe, or a folder has that name.
        :raises OSError: the folder cannot be written at the moment.
        """
        safe_name(name)
        with self._folder() as folder:
            previous = self._read(folder, name)
            temporary = f"{TEMPORARY}{secrets.token_hex(8)}"
            try:
                _write(folder, temporary, content)
                os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
            except OSError as error:
                with suppress(OSError):
                    os.unlink(temporary, dir_fd=folder)
                if isinstance(error, IsADirectoryError):
                    raise PermanentError(f"{name!r} in {self.path} is a folder: no flag can be left") from None
                raise
            os.fsync(folder)
            return previous

    def read(self, name: str, limit: int = 64 * 1024) -> bytes | None:
        """At most ``limit`` bytes of a regular file at the volume's top, or None when there is none.

        :raises PermanentError: the name is a path.
        """
        if "/" in name or "\0" in name:
            raise PermanentError(f"{name[:100]!r} is not the name of a file")
        with self._folder() as folder:
            return self._read(folder, name, limit)

    def read_result(self, run: str) -> bytes | None:
        """The start of what the listener wrote about a run, or None when there is nothing to read."""
        with self._folder() as folder:
            try:
                # A link in its place could lead anywhere.
                flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
                results = os.open(RESULTS, flags, dir_fd=folder)
            except OSError:
                return None
            try:
                return self._read(results, f"{run}.json", MAX_RESULT_BYTES)
            finally:
                os.close(results)

    def check(self) -> None:
        """Find out whether this process can leave files here.

        :raises StartupError: it cannot; the text says why and what to do.
        """
        user = f"user {os.getuid()}"
        try:
            with self._folder() as folder:
                name = f"{TEMPORARY}{secrets.token_hex(8)}"
                _write(folder, name, b"")
                os.unlink(name, dir_fd=folder)
        except FileNotFoundError:
            raise StartupError(
                f"the shared volume {self.path} does not exist: mount it, or set `path` under [volume]"
            ) from None
        except NotADirectoryError:
            raise StartupError(f"the shared volume {self.path} is not a folder") from None
        except OSError as error:
            raise StartupError(
                f"the shared volume {self.path} cannot be written by {user} ({error.strerror}): "
                "give the folder to a group that the container's user and the host's user share, mode 2770"
            ) from None

    def clean(self) -> None:
        """Remove temporary files that a killed process left behind an hour ago or earlier."""
        with self._folder() as folder:
            for name in os.listdir(folder):
                if not name.startswith(TEMPORARY):
                    continue
                # Whatever somebody else put under such a name is not ours to remove, and no reason to fail.
                with suppress(OSError):
                    found = os.stat(name, dir_fd=folder, follow_symlinks=False)
                    if stat.S_ISREG(found.st_mode) and found.st_mtime < time.time() - LEFT_BEHIND_SECONDS:
                        os.unlink(name, dir_fd=folder)

    @contextmanager
    def _folder(self) -> Iterator[int]:
        handle = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield handle
        finally:
            os.close(handle)

    @staticmethod
    def _read(folder: int, name: str, limit: int = 64 * 1024) -> bytes | None:
        # O_NONBLOCK: opening a FIFO must not wait for a writer. O_NOFOLLOW: a link is not ours to read.
        try:
            handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        except OSError:
            return None
        try:
            # Asked before Python opens it: for a folder that raises, and leaves the handle open.
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return None
            with os.fdopen(handle, "rb", closefd=False) as file:
                return file.read(limit)
        finally:
            os.close(handle)


def _write(folder: int, name: str, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(name, flags, 0o640, dir_fd=folder)
    with os.fdopen(handle, "wb", closefd=True) as file:
        file.write(content)
        file.flush()
        os.fsync(handle)
