"""Whether the outcome of a run is news, judged by the runs before it.

The journal is the memory: so a restart forgets nothing, and there is no second book to keep.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from attrs import frozen

from duct_tape.api import Run, RunState

RECOVERED = "recovered"
GOOD = frozenset({RunState.DEPLOYED, RunState.DONE})
BAD = frozenset({RunState.FAILED, RunState.REFUSED, RunState.TIMED_OUT, RunState.LOST})

# Times, process numbers, temporary names: what differs from one time to the next in the same failure.
_VARYING = re.compile(r"\w*\d\w*")


@frozen(kw_only=True)
class News:
    """What there is to tell.

    :param state: the run's state, or ``recovered``.
    :param times: how often the same failure happened since it was last told, or how many runs failed before the
        recovery.
    :param since: seconds since the epoch: when it was last told, or the first of those runs.
    """

    state: str
    times: int
    since: float


def judge(
    run: Run,
    earlier: Sequence[Run],
    now: float,
    repeat_after: float,
    missed: Collection[str] = (),
    bad: Collection[RunState] = BAD,
) -> News | None:
    """What is to be told of the run, or None where the same was told a short time ago.

    :param earlier: runs before it, in any order; those of other applications and triggers are left out.
    :param now: when the run came to its state.
    :param missed: ids of runs of which no message arrived.
    :param bad: the states that count as failures.
    """
    failures = streak(run, earlier, bad)
    if run.state in GOOD and failures:
        return News(state=RECOVERED, times=len(failures), since=failures[0].updated_at)
    if run.state not in bad:
        return News(state=run.state, times=1, since=now)
    same = [failure for failure in failures if signature(failure) == signature(run)]
    told, times = _last_told(same, repeat_after, missed)
    if told is not None and now - told < repeat_after:
        return None
    since = told if told is not None else same[0].updated_at if same else now
    return News(state=run.state, times=times + 1, since=since)


def streak(run: Run, earlier: Sequence[Run], bad: Collection[RunState] = BAD) -> list[Run]:
    """The failures since the last good run of the same application by the same trigger, oldest first."""
    found: list[Run] = []
    for other in sorted(earlier, key=lambda other: (other.updated_at, other.id)):
        if (other.application, other.trigger) != (run.application, run.trigger) or other.id == run.id:
            continue
        if other.state in GOOD:
            found.clear()
        elif other.state in bad or other.state is RunState.DISCARDED:
            # Discarding a failure mends nothing.
            found.append(other)
    return found


def signature(run: Run) -> tuple[str, ...]:
    """What two runs have in common that failed in the same way.

    The version belongs to it: who has just published the mended one must learn that it failed as well.
    """
    tag = run.event.release.tag if run.event.release else ""
    if run.result is None:
        return (run.state, tag, "", _VARYING.sub("#", run.detail))
    cause = run.result.output.strip().rpartition("\n")[2]
    return (run.state, tag, str(run.result.exit_code), _VARYING.sub("#", cause))


def _last_told(same: Sequence[Run], repeat_after: float, missed: Collection[str]) -> tuple[float | None, int]:
    """When the failure was last told, and how often it has happened since without a word."""
    told: float | None = None
    times = 0
    for failure in same:
        if failure.id not in missed and (told is None or failure.updated_at - told >= repeat_after):
            told, times = failure.updated_at, 0
        else:
            times += 1
    return told, times
