"""Claims: flags that were renamed away into a private folder, so that nothing changes between check and use.

A claim is the folder ``.running/<id>/`` with the flag in it under its own name. It stays until its deploy has ended,
so that what a crash interrupted is found again at the next start.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from contextlib import suppress

from attrs import evolve, frozen

from duct_tape.files import opened, read
from duct_tape.flags import MAX_FLAG_BYTES, Flag
from duct_tape.listener.names import is_claim_id, is_run_id, made_claim_id, made_run_id
from duct_tape.listener.spool import Spool


@frozen(kw_only=True)
class Claim:
    """A flag that this listener has taken: the file ``name`` in the folder ``id``."""

    id: str
    name: str


@frozen(kw_only=True)
class Order:
    """A claim that was read and found to ask for an application of ours.

    :param begun: when a listener that is gone has started it, if it has.
    :param late: whether a newer flag for the application was found before it.
    """

    claim: Claim
    flag: Flag
    content: bytes
    begun: str | None = None
    late: bool = False

    @property
    def application(self) -> str:
        return self.flag.application

    @property
    def stdin(self) -> bytes:
        """What the script reads: what the flag holds, or one line of JSON in place of nothing."""
        return self.content if self.content.strip() else self.flag.to_line().encode()


def newest(spool: Spool) -> str:
    """The greatest id of a claim; nothing when there is none."""
    with spool.running() as running:
        return max(filter(is_claim_id, os.listdir(running)), default="")


def take(spool: Spool, name: str, newest: str) -> Claim | None:
    """Rename the flag ``name`` away, or None when it is no longer there.

    :param newest: the greatest id of a claim until now.
    """
    claim = Claim(id=made_claim_id(newest), name=name)
    with spool.running() as running:
        os.mkdir(claim.id, 0o700, dir_fd=running)
        try:
            with opened(running, claim.id) as folder:
                os.rename(name, name, src_dir_fd=spool.top, dst_dir_fd=folder)
        except FileNotFoundError:
            os.rmdir(claim.id, dir_fd=running)
            return None
    return claim


def content(spool: Spool, claim: Claim) -> bytes:
    """What the claimed flag holds; nothing if this user may not read it, for the name alone is enough.

    :raises ValueError: no flag is like this.
    """
    try:
        with spool.running() as running, opened(running, claim.id) as folder:
            found = read(folder, claim.name, MAX_FLAG_BYTES + 1)
    except PermissionError:
        return b""
    except OSError as error:
        raise ValueError(f"it cannot be read: {error.strerror}") from None
    if len(found) > MAX_FLAG_BYTES:
        raise ValueError(f"it holds more than {MAX_FLAG_BYTES // 1024} KiB")
    return found


def identify(claim: Claim, found: bytes, problem: Callable[[str], str | None]) -> Flag | str:
    """The flag with its application and a safe run id, or the reason why it is not one.

    :param found: what the claimed flag holds.
    :param problem: says why a name is not an application that can be deployed.
    """
    said = Flag.parse(found)
    run = said.run if said and is_run_id(said.run) else made_run_id(claim.id)
    reason = problem(claim.name)
    if reason is None:
        return evolve(said or Flag(run=run, application=claim.name), run=run, application=claim.name)
    if said and said.application != claim.name and problem(said.application) is None:
        return evolve(said, run=run)
    return reason


def release(spool: Spool, claim: Claim) -> bool:
    """Forget a claim. False when it cannot be removed; true also when the whole volume was taken away meanwhile."""
    try:
        with spool.running() as running:
            with suppress(FileNotFoundError), opened(running, claim.id) as folder:
                os.unlink(claim.name, dir_fd=folder)
            os.rmdir(claim.id, dir_fd=running)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def pending(spool: Spool, known: Collection[str]) -> list[Claim]:
    """All claims whose id is not ``known``, oldest first: new ones, and what an earlier listener did not finish."""
    with spool.running() as running:
        ids = sorted(name for name in os.listdir(running) if is_claim_id(name) and name not in known)
        return [Claim(id=id, name=name) for id in ids for name in _flags_in(running, id)]


def _flags_in(running: int, id: str) -> list[str]:
    with suppress(OSError):
        with opened(running, id) as folder:
            names = sorted(os.listdir(folder))
        if names:
            return names
        os.rmdir(id, dir_fd=running)
    return []
