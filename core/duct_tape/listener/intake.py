"""Intake: takes what lies at the volume's top, so that nothing there keeps a flag waiting.

The flags that bear an application's name are looked up by it, whatever else there is. All other names are gone through
in portions: flags with a name from a template, and what is no flag at all and may be a stranger's million.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from duct_tape.files import read
from duct_tape.flags import MAX_FLAG_BYTES, Flag
from duct_tape.listener import aside, claims
from duct_tape.listener.refusals import Refusals
from duct_tape.listener.spool import Entry, Spool
from duct_tape.listener.sweep import Sweep

PORTION = 200
# What cannot be moved is tried again in the next round when it is more than that.
MOST_LEFT = 1000


class Intake:
    """Claims flags and sets aside what cannot be one.

    :param refusals: where the latter is told.
    """

    def __init__(self, refusals: Refusals) -> None:
        self._refusals = refusals
        self._sweep = Sweep(PORTION, own=True)
        # When the flags of claims changed last, and of the round the latest for each application.
        self._changed: dict[str, int] = {}
        self._latest: dict[str, int] = {}
        self._immovable: set[tuple[str, int]] = set()
        self._met: set[tuple[str, int]] = set()

    @property
    def more(self) -> bool:
        """Whether there is more than one look takes."""
        return self._sweep.more

    def close(self) -> None:
        self._sweep.close()

    def claim(self, spool: Spool, applications: Collection[str], problem: Callable[[str], str | None]) -> None:
        """Claim all flags that bear the name of one of the ``applications``, and a portion of everything else.

        :param problem: says why a name is not an application that can be deployed.
        """
        if not self._sweep.more:
            self._latest.clear()
        self._changed.clear()
        entries = spool.entries({*self._sweep.take(spool.top), *applications})
        # Listed once, and not for each of the flags.
        newest = claims.newest(spool) if entries else ""
        for entry in entries:
            newest = self._take(spool, entry, newest, problem)
            if entry.name in applications:
                self._note(entry.name, entry.changed)
        if not self._sweep.more:
            self._immovable, self._met = self._met, set()

    def is_late(self, claim: str, application: str) -> bool:
        """Whether a newer flag for the application was met earlier in this round: names come in no order.

        Within one portion the claims have that order themselves.
        """
        changed = self._changed.get(claim)
        if changed is None:  # An earlier look's.
            return False
        self._note(application, changed)
        return changed < self._latest[application]

    def _note(self, application: str, changed: int) -> None:
        self._latest[application] = max(changed, self._latest.get(application, changed))

    def _take(self, spool: Spool, entry: Entry, newest: str, problem: Callable[[str], str | None]) -> str:
        if (entry.name, entry.inode) in self._immovable:
            self._met.add((entry.name, entry.inode))
            return newest
        try:
            if entry.kind:
                new = aside.set_aside(spool, entry.name)
                self._refusals.tell("set aside %r as .set-aside/%s: it is %s", entry.name, new, entry.kind)
            elif (reason := problem(entry.name)) and _holds_no_flag(spool, entry.name):
                if seen := aside.set_aside_seen(spool, entry):
                    self._refusals.tell("set aside %r as .set-aside/%s: %s", entry.name, seen, reason)
            elif claim := claims.take(spool, entry.name, newest):
                self._changed[claim.id] = entry.changed
                return claim.id
        except FileNotFoundError:
            pass  # It was taken back meanwhile.
        except OSError as error:
            self._leave(spool, entry, error)
        return newest

    def _leave(self, spool: Spool, entry: Entry, error: OSError) -> None:
        if len(self._met) < MOST_LEFT:
            self._immovable.add((entry.name, entry.inode))
            self._met.add((entry.name, entry.inode))
        self._refusals.tell("cannot move %r out of %s, so it stays: %s", entry.name, spool.path, error.strerror)


def _holds_no_flag(spool: Spool, name: str) -> bool:
    """Whether a look is enough, and no claim is needed: that is four times the work, and there may be a million."""
    try:
        found = read(spool.top, name, MAX_FLAG_BYTES + 1)
    except OSError:
        return False
    return len(found) <= MAX_FLAG_BYTES and Flag.parse(found) is None
