"""Setting aside: what is not a flag for one of our applications is told once, and moved out of the way."""

from __future__ import annotations

import errno
import itertools
import os
import stat
from contextlib import suppress

from duct_tape.files import opened
from duct_tape.listener.claims import Claim, release
from duct_tape.listener.names import aside_name
from duct_tape.listener.spool import Entry, Spool

KEEP = 100
# However much a stranger has put in there, a move costs a moment.
MOST_LISTED = 1000
MOST_DELETED = 20


def set_aside(spool: Spool, name: str) -> str:
    """Move what is called ``name`` at the volume's top into ``.set-aside/``; gives back its new name.

    :raises OSError: it cannot be moved, for instance a folder of another user.
    """
    return _move(spool, name, spool.top)


def set_aside_seen(spool: Spool, entry: Entry) -> str | None:
    """Move what was looked at into ``.set-aside/``; None if something else had its name by then, which is put back.

    :raises OSError: it cannot be moved, or not be put back.
    """
    new = _move(spool, entry.name, spool.top)
    with spool.aside() as aside:
        found = os.lstat(new, dir_fd=aside)
        if (found.st_ino, found.st_mtime_ns) == (entry.inode, entry.changed):
            return new
        # Unlike a rename, a link never replaces what is newer.
        with suppress(FileExistsError):
            os.link(new, entry.name, src_dir_fd=aside, dst_dir_fd=spool.top, follow_symlinks=False)
        os.unlink(new, dir_fd=aside)
    return None


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
    with os.scandir(aside) as found:
        names = sorted(item.name for item in itertools.islice(found, MOST_LISTED))
    surplus, deleted = min(len(names) - KEEP + 1, MOST_DELETED), 0
    for name in names:
        if deleted >= surplus:
            return
        with suppress(OSError):
            _delete(aside, name)
            deleted += 1
    if surplus > 0 and not deleted:
        raise OSError(errno.ENOSPC, "too many folders are set aside already")


def _delete(aside: int, name: str) -> None:
    if stat.S_ISDIR(os.lstat(name, dir_fd=aside).st_mode):
        os.rmdir(name, dir_fd=aside)
    else:
        os.unlink(name, dir_fd=aside)
