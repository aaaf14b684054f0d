"""Withdrawal: taking a flag back out of the volume that no listener has claimed yet.

Both the listener and a newer release may change what bears the flag's name at any moment. So the flag is renamed away
first, and then looked at again: what was taken by mistake is put back, unless something newer is there by now.
"""

from __future__ import annotations

import itertools
import os
import secrets
from contextlib import suppress

from duct_tape import files
from duct_tape.flags import MAX_FLAG_BYTES, Flag

# There is one flag per application, unless a template makes more. A stranger's million must not hold anybody up.
MOST_LOOKED_AT = 10_000


def find(folder: int, run: str, application: str = "") -> str | None:
    """The name of the flag that asks for ``run`` at the volume's top, or None when there is none.

    :param application: the run's, whose name is looked at before all others: it is found behind any junk.
    """
    if application and "/" not in application and _asks_for(folder, application, run):
        return application
    with os.scandir(folder) as found:
        names = (item.name for item in found if not item.name.startswith("."))
        return next((name for name in itertools.islice(names, MOST_LOOKED_AT) if _asks_for(folder, name, run)), None)


def withdraw(folder: int, run: str, application: str = "") -> bool:
    """Remove the flag of ``run``; False when there is none, or the listener was quicker."""
    name = find(folder, run, application)
    return name is not None and _taken(folder, name, run)


def _taken(folder: int, name: str, run: str) -> bool:
    temporary = f".tmp-{secrets.token_hex(8)}"
    try:
        os.rename(name, temporary, src_dir_fd=folder, dst_dir_fd=folder)
    except FileNotFoundError:
        return False
    try:
        ours = _asks_for(folder, temporary, run)
    except BaseException:  # Ctrl-C: whatever it is, it must not be lost under this name.
        _put_back(folder, temporary, name)
        raise
    if ours:
        os.unlink(temporary, dir_fd=folder)
    else:
        _put_back(folder, temporary, name)
    os.fsync(folder)
    return ours


def _put_back(folder: int, temporary: str, name: str) -> None:
    try:
        # Unlike a rename, a link never replaces what is newer.
        os.link(temporary, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        pass
    except OSError:  # A folder, or a file system without links.
        with suppress(OSError):
            if not _exists(folder, name):
                os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        return
    os.unlink(temporary, dir_fd=folder)


def _exists(folder: int, name: str) -> bool:
    with suppress(FileNotFoundError):
        os.lstat(name, dir_fd=folder)
        return True
    return False


def _asks_for(folder: int, name: str, run: str) -> bool:
    with suppress(OSError):
        flag = Flag.parse(files.read(folder, name, MAX_FLAG_BYTES + 1))
        return flag is not None and flag.run == run
    return False
