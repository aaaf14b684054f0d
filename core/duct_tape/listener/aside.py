"""Setting aside: what is not a flag for one of our applications is told once, and moved out of the way."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress

from duct_tape.files import opened
from duct_tape.listener.claims import Claim, release
from duct_tape.listener.names import aside_name
from duct_tape.listener.spool import Spool

KEEP = 100


def set_aside(spool: Spool, name: str) -> str:
    """Move what is called ``name`` at the volume's top into ``.set-aside/``; gives back its new name.

    :raises OSError: it cannot be moved, for instance a folder of another user.
    """
    return _move(spool, name, spool.top)


def set_claim_aside(spool: Spool, claim: Claim) -> str:
    """Move a claimed flag into ``.set-aside/``; gives back its new name."""
    with spool.running() as running, opened(running, claim.id) as folder:
        new = _move(spool, claim.name, folder)
    release(spool, claim)
    return new


def _move(spool: Spool, name: str, source: int) -> str:
    new = aside_name(name)
    with spool.aside() as aside:
        _make_room(aside)
        os.rename(name, new, src_dir_fd=source, dst_dir_fd=aside)
    return new


def _make_room(aside: int) -> None:
    """Delete the oldest, but never a folder that holds something: it may be dear to someone."""
    names = sorted(os.listdir(aside))
    surplus = len(names) - KEEP + 1
    for name in names:
        if surplus <= 0:
            return
        with suppress(OSError):
            _delete(aside, name)
            surplus -= 1
    if surplus > 0:
        raise OSError(errno.ENOSPC, "too many folders are set aside already")


def _delete(aside: int, name: str) -> None:
    if stat.S_ISDIR(os.lstat(name, dir_fd=aside).st_mode):
        os.rmdir(name, dir_fd=aside)
    else:
        os.unlink(name, dir_fd=aside)
