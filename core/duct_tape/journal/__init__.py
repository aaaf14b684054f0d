"""The journal: the durable store of deliveries and runs.

Nothing outside this package knows SQL. What the interface says here holds for every engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from attrs import frozen

from duct_tape.delivery import Runs
from duct_tape.events import Event
from duct_tape.results import Result
from duct_tape.runs import Run, RunState


@frozen(kw_only=True)
class Acceptance:
    """What the journal made of a decision.

    :param runs: the runs that are new and must be carried out.
    :param duplicates: ids of runs that an earlier delivery of the same event made.
    :param older: why runs were not made, when a newer version was accepted before.
    """

    runs: tuple[Run, ...] = ()
    duplicates: tuple[str, ...] = ()
    older: str = ""


@frozen
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


class Journal(Protocol):
    """The interface of every engine. All methods raise ``JournalError`` when the store fails."""

    async def accept(self, event: Event, decision: Runs, runs: Sequence[Run], *, again: bool = True) -> Acceptance:
        """Record a delivery and its runs; on return they are on disk.

        A run is new unless a run of the same instance, application and trigger exists for the same event
        key or the same delivery id, and has not failed.

        :param again: whether a run that failed counts as if it were not there.
        """
        ...

    def ignore(self, instance: str, event: Event, reason: str) -> None:
        """Record a delivery that makes no runs. Nothing waits for it, and only the latest are kept."""
        ...

    async def unfinished(self) -> list[Run]:
        """The runs that were accepted and not carried out, oldest first."""
        ...

    async def attempted(self, run: str, detail: str) -> None:
        """Count a failed attempt of a run that will be tried again."""
        ...

    async def finish(self, run: str, state: RunState, detail: str, supersedes: Sequence[str] = ()) -> None:
        """Record a run's state; flagged runs in ``supersedes`` of the same application end superseded."""
        ...

    async def with_listener(self) -> list[Run]:
        """The runs whose end is up to the listener, oldest first."""
        ...

    async def report(self, run: str, state: RunState, detail: str, result: Result | None) -> bool:
        """Record what the listener said, or that it said nothing for too long.

        Only a run whose end is up to the listener is changed, or one whose flag seemed to be replaced.

        :returns: whether it was changed.
        """
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

    async def repeat(self, run: str, again: str) -> None:
        """Accept a copy of a run under the id ``again``, whatever became of the first one."""
        ...

    async def deliveries(self, limit: int) -> list[Recorded]:
        """The latest deliveries, newest first."""
        ...

    async def counts(self) -> dict[str, int]:
        """How many runs there are in each state."""
        ...

    async def close(self) -> None:
        """Write what is waiting and let go of the store."""
        ...
