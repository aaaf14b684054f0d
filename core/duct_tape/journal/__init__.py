"""The journal: the durable store of deliveries and runs, and the queue of what is still to do.

Nothing outside this package knows SQL. What the interface says here holds for every engine, and
``tests/core/journal/conformance.py`` holds every engine to it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from attrs import field, frozen

from duct_tape.delivery import Runs
from duct_tape.events import Event
from duct_tape.results import Result
from duct_tape.runs import Run, RunState


@frozen(kw_only=True)
class Lease:
    """On which terms somebody takes up runs.

    :param holder: who; a name of its own for each process.
    :param seconds: how long a run is his without a heartbeat.
    :param horizon: seconds; a failed attempt is never repeated later than this. A time further ahead was written
        under a clock that has been set back since, and has come.
    """

    holder: str
    seconds: float = 60.0
    horizon: float = 60.0


@frozen(kw_only=True)
class Limits:
    """How much may wait. Above either bound nothing more is accepted.

    :param runs: how many runs.
    :param size: bytes of their deliveries.
    """

    runs: int = 10_000
    size: int = 256 * 1024 * 1024


@frozen(kw_only=True)
class Keep:
    """What is kept of the past: what is older than the one or beyond the other may go.

    :param seconds: age of the last change.
    :param runs: how many of the latest runs, and of the latest deliveries.
    """

    seconds: float = 90 * 24 * 3600.0
    runs: int = 10_000


@frozen(kw_only=True)
class Acceptance:
    """What the journal made of a decision.

    :param runs: the runs that are new and will be carried out.
    :param duplicates: ids of runs that an earlier delivery of the same event made.
    :param older: why runs were not made, when a newer version was accepted before.
    :param superseded: runs that waited, and give way to the new ones.
    :param claimed: the runs that whoever accepted them has to carry out now.
    """

    runs: tuple[Run, ...] = ()
    duplicates: tuple[str, ...] = ()
    older: str = ""
    superseded: tuple[Run, ...] = ()
    claimed: tuple[Run, ...] = ()


@frozen(kw_only=True)
class Recorded:
    """A delivery as the journal keeps it.

    :param state: ``accepted`` or ``ignored``.
    :param reason: why it was ignored.
    """

    instance: str
    delivery: str
    received_at: float
    event: str
    action: str
    repository: str
    state: str
    reason: str


@frozen(kw_only=True)
class Stored:
    """Everything that is kept of one delivery.

    :param event: None where the content is kept no longer.
    :param runs: what it made, oldest first.
    """

    recorded: Recorded
    event: Event | None = field(repr=False)
    runs: tuple[Run, ...] = ()


@frozen(kw_only=True)
class Pause:
    """An application whose runs wait until an operator resumes it.

    :param since: seconds since the epoch.
    """

    application: str
    who: str
    reason: str
    since: float


class Journal(Protocol):
    """The interface of every engine. All methods raise ``JournalError`` when the store fails.

    The runs of one application are carried out one after the other, in the order of their arrival: they are a lane.
    """

    async def accept(
        self, event: Event, decision: Runs, runs: Sequence[Run], *, again: bool = True, lease: Lease | None = None
    ) -> Acceptance:
        """Record a delivery and its runs; on return they are on disk.

        A run is new unless a run of the same instance, application and trigger exists for the same event
        key or the same delivery id, and has not failed. Where versions are known, only the newest one waits: runs
        of the same application and trigger for other versions end superseded, if nobody has taken them up.

        :param again: whether a run that failed counts as if it were not there.
        :param lease: takes up the first run of each lane concerned that is free, in the same step.
        :raises UnavailableError: too much is waiting already.
        """
        ...

    def ignore(self, instance: str, event: Event, reason: str) -> None:
        """Record a delivery that makes no runs. Nothing waits for it, and only the latest are kept."""
        ...

    async def claim(self, lease: Lease, application: str | None = None) -> list[Run]:
        """Take up the first run of every lane in which nobody is at work, whose time has come.

        Nothing of a paused application is taken up.

        :param application: only that lane.
        """
        ...

    async def heartbeat(self, lease: Lease) -> None:
        """The holder is still there: prolong the lease of all its runs."""
        ...

    async def held(self, lease: Lease) -> list[str]:
        """The ids of the accepted runs that the holder has taken up."""
        ...

    async def release(self, lease: Lease, runs: Collection[str]) -> None:
        """The holder is not at work on these: let others, or himself, take them up."""
        ...

    async def fail(self, run: str, detail: str, wait: float) -> Run:
        """Count a failed attempt and let go of the run, to be taken up again.

        :param wait: seconds before that.
        :returns: the run as it is now: accepted, or superseded where a newer version waits.
        """
        ...

    async def hold(self, run: str, detail: str) -> None:
        """Let go of a run that cannot be carried out before the next start. Its lane goes on without it."""
        ...

    async def finish(
        self,
        run: str,
        state: RunState,
        detail: str,
        supersedes: Sequence[str] = (),
        lease: Lease | None = None,
        result: Result | None = None,
    ) -> list[Run]:
        """Record what an accepted run came to; flagged runs in ``supersedes`` of the same application end superseded.

        A run that is not accepted any more stays as it is.

        :param lease: takes up what comes next in the lane, in the same step.
        :param result: what the action has to show for it.
        :returns: what was taken up.
        """
        ...

    async def with_listener(self) -> list[Run]:
        """The runs whose end is up to the listener, and those that got lost in the last day, oldest first."""
        ...

    async def report(self, run: str, state: RunState, detail: str, result: Result | None) -> bool:
        """Record what the listener said, or that it said nothing for too long.

        Only a run whose end is up to the listener is changed, or with a result one that is lost or whose flag
        seemed to be replaced.

        :returns: whether it was changed.
        """
        ...

    async def cancel(self, run: str, detail: str) -> bool:
        """End an accepted run that nobody has taken up; returns whether it was one."""
        ...

    async def dead(self, limit: int, application: str | None = None) -> list[Run]:
        """The dead letters, newest first: runs that failed for good and ask for an operator.

        Not those that were repeated, or followed by a run of the same application and trigger that went well.
        """
        ...

    async def redrive(self, run: str, again: str) -> bool:
        """Accept a copy of a run under the id ``again``, whatever became of the first one.

        :returns: whether there is such a run.
        """
        ...

    async def discard(self, run: str, detail: str) -> bool:
        """Put aside a run that failed; returns whether it was one."""
        ...

    async def pause(self, pause: Pause) -> None:
        """Carry out no runs of an application until it is resumed."""
        ...

    async def resume(self, application: str) -> Pause | None:
        """Carry them out again; returns the pause that ended."""
        ...

    async def pauses(self) -> list[Pause]:
        """The paused applications, by name."""
        ...

    async def unfinished(self) -> list[Run]:
        """The runs that were accepted and not carried out, oldest first."""
        ...

    async def untold(self) -> list[Run]:
        """Runs that were changed by another process than the server, or by the way, each once."""
        ...

    async def recent(
        self, limit: int, application: str | None = None, state: RunState | None = None, title: str | None = None
    ) -> list[Run]:
        """The latest runs, newest first.

        :param title: only those of a version, such as ``v1.2.3``.
        """
        ...

    async def find(self, run: str) -> Run | None:
        """The run with that id."""
        ...

    async def deliveries(self, limit: int) -> list[Recorded]:
        """The latest deliveries, newest first."""
        ...

    async def delivery(self, delivery: str) -> list[Stored]:
        """The deliveries with that id, one for each instance that got it."""
        ...

    async def counts(self) -> dict[str, int]:
        """How many runs there are in each state.

        :raises JournalError: the store cannot be read, or somebody has met a part of it that is damaged.
        """
        ...

    async def examine(self) -> None:
        """Look at everything, which takes the longer the more there is.

        :raises JournalError: something is damaged, or cannot be read.
        """
        ...

    async def prune(self, keep: Keep) -> int:
        """Forget what need not be kept; returns how many runs that were.

        The last good run of each application and trigger stays, and so does everything that has not ended.
        """
        ...

    async def close(self) -> None:
        """Write what is waiting and let go of the store."""
        ...
