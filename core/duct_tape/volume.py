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

from duct_tape import files
from duct_tape.errors import PermanentError, StartupError, VolumeError
from duct_tape.results import MAX_RESULT_BYTES
from duct_tape.withdrawal import find, withdraw

RESULTS = ".results"
CANCEL = ".cancel"
TEMPORARY = ".tmp-"
LEFT_BEHIND_SECONDS = 3600.0
# The listener lets a log grow to a mebibyte; more of it is read in parts.
MAX_LOG_PART = 256 * 1024

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
        :raises OSError: the folder cannot be written at the moment; ``VolumeError``, where somebody can mend that.
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
        return self._read_in(RESULTS, f"{run}.json", MAX_RESULT_BYTES)

    def read_log(self, run: str, offset: int = 0, limit: int = MAX_LOG_PART) -> bytes | None:
        """What ``bin/deploy`` printed, from ``offset`` on, or None when there is no log to read.

        :param limit: at most so many bytes, and never more than ``MAX_LOG_PART``.
        """
        return self._read_in(RESULTS, f"{run}.log", min(limit, MAX_LOG_PART), offset)

    def request_cancel(self, run: str) -> None:
        """Ask the listener to end a run: it finds the file ``.cancel/<run>`` when it looks the next time.

        :raises PermanentError: the id is not a safe name.
        :raises OSError: the folder cannot be written at the moment.
        """
        safe_name(run)
        with self._folder() as top, files.own_folder(top, CANCEL, shared=True) as folder:
            if not _is_file(folder, run):
                files.clear(folder, run)
                with suppress(FileExistsError):
                    _write(folder, run, b"")
                os.fsync(folder)
            os.fsync(top)

    def forget_cancel(self, run: str) -> None:
        """Take a request back that nobody is going to serve."""
        with self._folder() as top, suppress(OSError), files.opened(top, CANCEL) as folder:
            os.unlink(run, dir_fd=folder)

    def withdraw(self, run: str, application: str = "") -> bool:
        """Take back the flag of a run, whatever its name, if no listener has claimed it yet.

        :param application: the run's, whose name is tried first.
        :returns: whether it was there; then no listener deploys the run any more.
        """
        with self._folder() as folder:
            return withdraw(folder, run, application)

    def holds(self, run: str, application: str = "") -> bool:
        """Whether a flag of that run waits for a listener; the application's name is tried first."""
        with self._folder() as folder:
            return find(folder, run, application) is not None

    def check(self) -> None:
        """Find out whether this process can leave files here.

        :raises StartupError: it cannot; the text says why and what to do.
        """
        try:
            with self._folder() as folder:
                name = f"{TEMPORARY}{secrets.token_hex(8)}"
                _write(folder, name, b"")
                os.unlink(name, dir_fd=folder)
        except VolumeError as error:
            raise StartupError(str(error)) from None
        except OSError as error:
            raise StartupError(self._problem(error)) from None

    def clean(self) -> None:
        """Remove temporary files that a killed process left behind an hour ago or earlier."""
        with self._folder() as folder, os.scandir(folder) as items:
            for name in (item.name for item in items):
                if not name.startswith(TEMPORARY):
                    continue
                # Whatever somebody else put under such a name is not ours to remove, and no reason to fail.
                with suppress(OSError):
                    found = os.stat(name, dir_fd=folder, follow_symlinks=False)
                    if stat.S_ISREG(found.st_mode) and found.st_mtime < time.time() - LEFT_BEHIND_SECONDS:
                        os.unlink(name, dir_fd=folder)

    @contextmanager
    def _folder(self) -> Iterator[int]:
        try:
            handle = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
            raise VolumeError(self._problem(error)) from None
        try:
            yield handle
        except PermissionError as error:
            raise VolumeError(self._problem(error)) from error
        finally:
            os.close(handle)

    def _problem(self, error: OSError) -> str:
        if isinstance(error, FileNotFoundError):
            return f"the shared volume {self.path} does not exist: mount it, or set `path` under [volume]"
        if isinstance(error, NotADirectoryError):
            return f"the shared volume {self.path} is not a folder: set `path` under [volume] to one"
        return (
            f"the shared volume {self.path} cannot be written by user {os.getuid()} ({error.strerror}): "
            "give the folder to a group that the container's user and the host's user share, mode 2770"
        )

    def _read_in(self, name: str, file: str, limit: int, offset: int = 0) -> bytes | None:
        with self._folder() as top:
            try:
                # A link in the folder's place could lead anywhere.
                with files.opened(top, name) as folder:
                    return files.read(folder, file, limit, offset)
            except OSError:
                return None

    @staticmethod
    def _read(folder: int, name: str, limit: int = 64 * 1024) -> bytes | None:
        with suppress(OSError):
            return files.read(folder, name, limit)
        return None


def _is_file(folder: int, name: str) -> bool:
    with suppress(FileNotFoundError):
        return stat.S_ISREG(os.lstat(name, dir_fd=folder).st_mode)
    return False


def _write(folder: int, name: str, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(name, flags, 0o640, dir_fd=folder)
    with os.fdopen(handle, "wb", closefd=True) as file:
        file.write(content)
        file.flush()
        os.fsync(handle)
