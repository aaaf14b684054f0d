"""The inbox: keeps the volume open, turns what appears in it into orders, and writes back what became of them.

Whatever happens to the volume, a look never raises: it tells the trouble once and waits for better times. The same
goes for a mistake of our own: a listener that ends, and ends again at every start, would answer nobody.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress

from attrs import evolve

from duct_tape.errors import StartupError
from duct_tape.flags import Flag
from duct_tape.listener import aside, cancel, claims, results
from duct_tape.listener.applications import Applications
from duct_tape.listener.claims import Claim, Order
from duct_tape.listener.heartbeat import Heartbeat
from duct_tape.listener.hints import Hints
from duct_tape.listener.leftovers import end_left_overs
from duct_tape.listener.names import is_run_id
from duct_tape.listener.spool import Entry, Spool
from duct_tape.results import Result

log = logging.getLogger(__name__)

# Listing thousands of results takes longer than a deploy may wait for.
PRUNE_SECONDS = 10.0


class Inbox:
    """The volume, seen from the side of the deploys.

    :param spool: the opened volume; it is opened anew when the folder was made anew.
    :param wake: called when there may be something new; None to get no such calls.
    """

    def __init__(self, spool: Spool, applications: Applications, wake: Callable[[], None] | None = None) -> None:
        self.refusals = 0
        self._path = spool.path
        self._spool: Spool | None = spool
        self._applications = applications
        self._wake = wake
        self._hints = self._watch()
        self._heartbeat = Heartbeat(applications)
        self._trouble = ""
        self._mistakes: set[tuple[str, str]] = set()
        self._left_over: set[str] = set()
        self._seen: Spool | None = None
        self._immovable: set[tuple[str, int]] = set()
        self._undeletable: set[str] = set()
        self._next_pruning = self._next_tidying = 0.0

    @property
    def mistaken(self) -> bool:
        """Whether the listener itself has failed somewhere."""
        return bool(self._mistakes)

    def close(self) -> None:
        if self._hints:
            self._hints.close()
        if self._spool:
            self._spool.close()
        self._hints = self._spool = None

    def look(self, known: Collection[str]) -> list[Order]:
        """Claim every flag there is; gives the orders whose claim is not ``known`` yet, oldest first."""
        orders: list[Order] = []
        try:
            with self._going_on("looking for flags"):
                spool = self._current()
                known = {*known, *self._undeletable}
                self._note_left_over(spool, known)
                self._claim_all(spool)
                for claim in claims.pending(spool, known):
                    if order := self._judged(spool, claim):
                        orders.append(self._taken_over(spool, order))
                self._heartbeat.beat(spool)
        except StartupError as error:
            self._tell(str(error))
        except OSError as error:
            # Not the names of temporary files: the same trouble is told once.
            where = self._path if error.filename is None or error.filename[:1] == "." else error.filename
            self._tell(f"{where} cannot be used: {error.strerror}")
        else:
            self._tell("")
        return orders

    def attend(self, active: Collection[str]) -> set[str]:
        """Show that the listener lives; gives those of the ``active`` runs that are to be cancelled."""
        # A look tells what is wrong with the volume.
        with suppress(StartupError, OSError), self._going_on("looking for requests to cancel"):
            spool = self._current()
            self._heartbeat.beat(spool)
            if time.monotonic() >= self._next_tidying:
                self._next_tidying = time.monotonic() + PRUNE_SECONDS
                cancel.tidy(spool, active, lambda run: results.ended(spool, run))
            return cancel.requested(spool, active)
        return set()

    def report(self, result: Result) -> None:
        """Write a result for the container; a deploy matters more than that this succeeds."""
        try:
            results.put(self._current(), result)
        except (StartupError, OSError) as error:
            log.warning("%s: its result cannot be written: %s", result.application, error)

    def open_log(self, run: str) -> int | None:
        """A handle of a run's log, or None when it cannot be written."""
        try:
            return results.open_log(self._current(), run)
        except (StartupError, OSError) as error:
            log.warning("the log of run %s cannot be written: %s", run, error)
            return None

    def finish(self, order: Order, result: Result, active: Collection[str]) -> None:
        """Write the last result of an order and forget its claim, in that order: a crash between deploys again."""
        self.report(result)
        self._forget(order.claim)
        with suppress(StartupError, OSError):
            cancel.forget(self._current(), order.flag.run)
        if time.monotonic() < self._next_pruning:
            return
        self._next_pruning = time.monotonic() + PRUNE_SECONDS
        try:
            with self._going_on("deleting old results"):
                results.prune(self._current(), active)
        except (StartupError, OSError) as error:
            log.warning("old results cannot be deleted: %s", error)

    def _current(self) -> Spool:
        """The opened volume, opened anew when the folder was taken away and made again."""
        if self._spool and self._spool.is_current():
            return self._spool
        self.close()
        self._spool = spool = Spool.open(self._path)
        self._hints = self._watch()
        self._heartbeat.again()
        return spool

    def _watch(self) -> Hints | None:
        return Hints(self._path, self._wake) if self._wake else None

    def _note_left_over(self, spool: Spool, known: Collection[str]) -> None:
        """Remember what an earlier listener claimed, at the first look into a volume: that look may fail later on."""
        if self._seen is not spool:
            self._left_over = {claim.id for claim in claims.pending(spool, known)}
            self._seen = spool

    def _taken_over(self, spool: Spool, order: Order) -> Order:
        if order.claim.id not in self._left_over:
            return order
        if end_left_overs(order.claim.id):
            log.warning("%s: ended what a killed listener had left running", order.application)
        return evolve(order, begun=results.begun(spool, order.flag.run))

    @contextmanager
    def _going_on(self, doing: str) -> Iterator[None]:
        """Let a mistake of our own end what is being done, but not the listener; told once, with its place."""
        try:
            yield
        except (StartupError, OSError):
            raise  # The volume's.
        except Exception as error:
            mistake = (doing, type(error).__name__)
            if mistake not in self._mistakes:
                self._mistakes.add(mistake)
                log.exception("%s: the listener itself failed, and goes on", doing)

    def _tell(self, trouble: str) -> None:
        if trouble == self._trouble:
            return
        if trouble:
            log.warning("%s; waiting for that to change", trouble)
        else:
            log.info("flags are answered again in %s", self._path)
        self._trouble = trouble

    def _claim_all(self, spool: Spool) -> None:
        entries = spool.entries()
        self._immovable &= {(entry.name, entry.inode) for entry in entries}
        # Listed once, and not for each of the flags: there may be thousands.
        newest = claims.newest(spool) if entries else ""
        for entry in entries:
            if (entry.name, entry.inode) in self._immovable:
                continue
            try:
                if entry.kind:
                    self._refused(entry.name, f"it is {entry.kind}", aside.set_aside(spool, entry.name))
                elif claim := claims.take(spool, entry.name, newest):
                    newest = claim.id
            except FileNotFoundError:
                continue  # It was taken back meanwhile.
            except OSError as error:
                self._leave(entry, error)

    def _leave(self, entry: Entry, error: OSError) -> None:
        self._immovable.add((entry.name, entry.inode))
        self.refusals += 1
        log.warning("cannot move %r out of %s, so it stays: %s", entry.name, self._path, error.strerror)

    def _judged(self, spool: Spool, claim: Claim) -> Order | None:
        found = b""
        try:
            found = claims.content(spool, claim)
            flag = claims.identify(claim, found, self._applications.problem)
        except ValueError as error:
            flag = str(error)
        if isinstance(flag, Flag):
            return Order(claim=claim, flag=flag, content=found)
        self._refuse(spool, claim, found, flag)
        return None

    def _refuse(self, spool: Spool, claim: Claim, found: bytes, reason: str) -> None:
        said = Flag.parse(found)
        if said and is_run_id(said.run):
            self.report(Result.unstarted(said, "refused", reason))
        try:
            self._refused(claim.name, reason, aside.set_claim_aside(spool, claim))
        except OSError as error:
            self._refused(claim.name, reason, f"nothing, for it cannot be moved: {error.strerror}")
            self._forget(claim)

    def _refused(self, name: str, reason: str, new: str) -> None:
        self.refusals += 1
        log.warning("set aside %r as .set-aside/%s: %s", name, new, reason)

    def _forget(self, claim: Claim) -> None:
        try:
            gone = claims.release(self._current(), claim)
        except StartupError:
            return
        if not gone:  # Then at least it must not be deployed for ever.
            self._undeletable.add(claim.id)
            log.warning("the claim .running/%s cannot be removed: remove it by hand", claim.id)
