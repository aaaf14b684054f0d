"""A run: one execution of one trigger for one delivery, with attempts and an outcome."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from attrs import field, frozen

from duct_tape.events import Event
from duct_tape.flags import Flag
from duct_tape.results import Result
from duct_tape.types import JSON


class RunState(StrEnum):
    """Where a run stands."""

    ACCEPTED = "accepted"
    """On disk, not carried out yet."""
    FLAGGED = "flagged"
    """Its flag is in the shared volume, and no listener has taken it yet."""
    DEPLOYING = "deploying"
    """The listener runs its ``bin/deploy``."""
    DEPLOYED = "deployed"
    """``bin/deploy`` ended with exit code 0."""
    DONE = "done"
    """The action is complete and nothing on the host is waited for."""
    SUPERSEDED = "superseded"
    """A newer run took its place before it was deployed."""
    REFUSED = "refused"
    """A plugin did not let it start."""
    FAILED = "failed"
    """Its action or its ``bin/deploy`` failed."""
    TIMED_OUT = "timed out"
    """Its ``bin/deploy`` took longer than the listener allows, or its command than the trigger does."""
    LOST = "lost"
    """Its deploy began, and nobody knows how it ended."""
    CANCELLED = "cancelled"
    """An operator stopped it."""
    DISCARDED = "discarded"
    """It failed, and an operator decided that nothing more is to come of it."""


# These ask for somebody: nothing more happens to them by itself.
UNSUCCESSFUL = frozenset({RunState.FAILED, RunState.REFUSED, RunState.TIMED_OUT, RunState.LOST})
# A redelivery of these is not a duplicate: the operator wants another try.
REPEATABLE = UNSUCCESSFUL | {RunState.CANCELLED, RunState.DISCARDED}
# The rest of these is up to the listener.
WITH_LISTENER = frozenset({RunState.FLAGGED, RunState.DEPLOYING})


@frozen(kw_only=True)
class Run:
    """One execution of one trigger for one delivery.

    :param number: orders the runs of a journal by their arrival, which neither ids nor times do when the clock is set
        back. 0 before the journal has seen the run.
    :param instance: the integration that received the delivery.
    :param attempts: how often the action was tried so far.
    :param detail: a sentence about the state, for people.
    :param created_at: seconds since the epoch.
    :param updated_at: when the state last changed.
    :param result: what the listener said of its deploy, or the action of its end, once one of them has.
    """

    id: str
    instance: str
    application: str
    trigger: str
    event: Event
    vars: Mapping[str, JSON] = field(factory=dict)
    state: RunState = RunState.ACCEPTED
    attempts: int = 0
    detail: str = ""
    created_at: float = 0.0
    updated_at: float = 0.0
    result: Result | None = field(default=None, repr=False)
    number: int = 0

    def variables(self) -> dict[str, Any]:
        """What the templates of this run's trigger see."""
        return {"application": self.application, "vars": dict(self.vars), **self.event.variables()}

    def flag(self) -> Flag:
        """What a flag says of this run, to the listener and to whoever else is told of it."""
        release = self.event.release
        return Flag(
            run=self.id,
            application=self.application,
            trigger=self.trigger,
            integration=self.instance,
            delivery=self.event.delivery,
            repository=self.event.repository,
            tag=release.tag if release else "",
            prerelease=release.prerelease if release else False,
            url=(release.url or "") if release else "",
            commit=(release.commit or "") if release else "",
            requested_at=datetime.fromtimestamp(self.created_at, UTC).isoformat(timespec="milliseconds"),
        )


@frozen(kw_only=True)
class Outcome:
    """What became of a run's action.

    :param state: the run's new state.
    :param detail: a sentence for people.
    :param supersedes: ids of runs whose flag this run replaced.
    :param result: exit code, duration and last lines of output, where the action has some to show. What became of the
        run is in ``state`` alone.
    """

    state: RunState = RunState.DONE
    detail: str = ""
    supersedes: tuple[str, ...] = ()
    result: Result | None = None


@frozen(kw_only=True)
class Refusal:
    """A plugin's answer that a run must not start.

    :param reason: a sentence for people.
    """

    reason: str
