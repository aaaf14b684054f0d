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
from duct_tape.listener.intake import Intake
from duct_tape.listener.leftovers import end_left_overs
from duct_tape.listener.names import is_run_id
from duct_tape.listener.refusals import Refusals
from duct_tape.listener.spool import Spool
from duct_tape.listener.sweep import Sweep
from duct_tape.results import Result

log = logging.getLogger(__name__)

# Listing thousands of results takes longer than a deploy may wait for.
PRUNE_SECONDS = 10.0
# A stranger's million must not lie there for days.
SWEEP_SECONDS = 0.5


class Inbox:
    """The volume, seen from the side of the deploys.

    :param spool: the opened volume; it is opened anew when the folder was made anew.
    :param wake: called when there may be something new; None to get no such calls.
    """

    def __init__(self, spool: Spool, applications: Applications, wake: Callable[[], None] | None = None) -> None:
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
        self._undeletable: set[str] = set()
        self._refusals = Refusals()
        self._intake = Intake(self._refusals)
        self._requests, self._results = Sweep(cancel.PORTION), Sweep(results.PORTION)
        self._next_pruning = self._next_tidying = 0.0
        self._refused_runs = False

    @property
    def mistaken(self) -> bool:
        """Whether the listener itself has failed somewhere."""
        return bool(self._mistakes)

    @property
    def refusals(self) -> int:
        """How many things were no flag, or none that could be deployed."""
        return self._refusals.count

    @property
    def more(self) -> bool:
        """Whether there is so much in the volume that the next look should come soon."""
        return self._intake.more

    def close(self) -> None:
        self._refusals.conclude()
        self._release()

    def _release(self) -> None:
        if self._hints:
            self._hints.close()
        if self._spool:
            self._spool.close()
        for sweep in (self._intake, self._requests, self._results):
            sweep.close()
        self._hints = self._spool = None

    def look(self, known: Collection[str]) -> list[Order]:
        """Claim the flags there are; gives the orders whose claim is not ``known`` yet, oldest first.

        Of more flags than a look takes, those that bear an application's name come first; ``more`` tells of the others.
        """
        orders: list[Order] = []
        try:
            with self._going_on("looking for flags"):
                spool = self._current()
                known = {*known, *self._undeletable}
                self._note_left_over(spool, known)
                names = self._applications.names()
                self._intake.claim(spool, names, lambda name: self._applications.problem(name, names))
                for claim in claims.pending(spool, known):
                    if order := self._judged(spool, claim, names):
                        orders.append(self._taken_over(spool, order))
                self._refusals.breathe()
                self._heartbeat.beat(spool)
        except StartupError as error:
            self._tell(str(error))
        except OSError as error:
            self._intake.close()
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
                cancel.tidy(spool, self._requests, active, lambda run: results.ended(spool, run))
                self._next_tidying = _next(self._requests)
            if self._refused_runs or self._results.more:
                self._prune(active)
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
        self._prune(active)

    def _prune(self, active: Collection[str]) -> None:
        if time.monotonic() < self._next_pruning:
            return
        self._next_pruning = time.monotonic() + PRUNE_SECONDS
        self._refused_runs = False
        try:
            with self._going_on("deleting old results"):
                results.prune(self._current(), self._results, active)
                self._next_pruning = _next(self._results)
        except (StartupError, OSError) as error:
            log.warning("old results cannot be deleted: %s", error)

    def _current(self) -> Spool:
        """The opened volume, opened anew when the folder was taken away and made again."""
        if self._spool and self._spool.is_current():
            return self._spool
        self._release()
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

    def _judged(self, spool: Spool, claim: Claim, names: Collection[str]) -> Order | None:
        found = b""
        try:
            found = claims.content(spool, claim)
            flag = claims.identify(claim, found, lambda name: self._applications.problem(name, names))
        except ValueError as error:
            flag = str(error)
        if isinstance(flag, Flag):
            late = self._intake.is_late(claim.id, flag.application)
            return Order(claim=claim, flag=flag, content=found, late=late)
        self._refuse(spool, claim, found, flag)
        return None

    def _refuse(self, spool: Spool, claim: Claim, found: bytes, reason: str) -> None:
        said = Flag.parse(found)
        if said and is_run_id(said.run):
            self._refused_runs = True
            self.report(Result.unstarted(said, "refused", reason))
        try:
            new = aside.set_claim_aside(spool, claim)
        except OSError as error:
            new = f"nothing, for it cannot be moved: {error.strerror}"
            self._forget(claim)
        self._refusals.tell("set aside %r as .set-aside/%s: %s", claim.name, new, reason)

    def _forget(self, claim: Claim) -> None:
        try:
            gone = claims.release(self._current(), claim)
        except StartupError:
            return
        if not gone:  # Then at least it must not be deployed for ever.
            self._undeletable.add(claim.id)
            log.warning("the claim .running/%s cannot be removed: remove it by hand", claim.id)


def _next(sweep: Sweep) -> float:
    """When the next portion is due."""
    return time.monotonic() + (SWEEP_SECONDS if sweep.more else PRUNE_SECONDS)
