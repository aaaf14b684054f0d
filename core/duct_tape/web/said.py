"""What is said to a sender about one event of its delivery, and the answer that comes of several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import field, frozen
from starlette.responses import Response

from duct_tape.delivery import Pong
from duct_tape.journal import Acceptance
from duct_tape.web.answers import answer

# In the order in which one goes before the others: a delivery with one accepted event is accepted.
CODES = {"accepted": 202, "duplicate": 200, "pong": 200, "ignored": 200}
ORDER = tuple(CODES)


@frozen(kw_only=True)
class Said:
    """One event's part of the answer."""

    status: str
    delivery: str
    runs: tuple[dict[str, str], ...] = ()
    members: dict[str, Any] = field(factory=dict)

    @classmethod
    def pong(cls, delivery: str, decision: Pong) -> Said:
        members = {"configured": decision.configured, "message": decision.message}
        return cls(status="pong", delivery=delivery, members=members)

    @classmethod
    def ignored(cls, delivery: str, reason: str) -> Said:
        return cls(status="ignored", delivery=delivery, members={"reason": reason})

    @classmethod
    def duplicate(cls, delivery: str, accepted: Acceptance) -> Said:
        return cls(status="duplicate", delivery=delivery, runs=tuple({"id": run} for run in accepted.duplicates))

    @classmethod
    def accepted(cls, delivery: str, accepted: Acceptance) -> Said:
        runs = ({"id": run.id, "application": run.application, "trigger": run.trigger} for run in accepted.runs)
        return cls(status="accepted", delivery=delivery, runs=tuple(runs))


def together(said: Sequence[Said]) -> Response:
    """The answer to a delivery of one event or more."""
    first = min(said, key=lambda one: ORDER.index(one.status))
    same = [one for one in said if one.status == first.status]
    members = dict(first.members)
    if "reason" in members:
        reasons = dict.fromkeys(one.members["reason"] for one in same)
        members["reason"] = "; ".join(reasons)
    if first.status in ("accepted", "duplicate"):
        members["runs"] = [run for one in same for run in one.runs]
    # The id as the sender knows it, which is that of the first event.
    return answer(CODES[first.status], first.status, delivery=said[0].delivery, **members)
