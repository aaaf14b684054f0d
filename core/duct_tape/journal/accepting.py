"""Accepting: what is new, what is known, what is older, and who has to wait."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence

from attrs import evolve, frozen

from duct_tape.delivery import Runs
from duct_tape.errors import UnavailableError
from duct_tape.events import Event, event_to_json
from duct_tape.journal import Acceptance, Lease, Limits
from duct_tape.journal.lanes import claim, superseded_by, until
from duct_tape.runs import REPEATABLE, Run

# Rows of ignored deliveries, and how many of them keep their content, each up to so many bytes: enough to replay what
# somebody finds out about today.
MAX_IGNORED = 10_000
MAX_CONTENTS = 1_000
MAX_CONTENT = 256 * 1024

# What is no failure: a redelivery of it is a duplicate.
LIVE = "state NOT IN ({})".format(", ".join(f"'{state}'" for state in sorted(REPEATABLE)))


@frozen(kw_only=True)
class Acceptor:
    """Accepts deliveries.

    :param untold: whether the server has to be told of what this process changes.
    """

    limits: Limits
    untold: bool

    def accept(
        self,
        db: sqlite3.Connection,
        event: Event,
        decision: Runs,
        runs: Sequence[Run],
        again: bool,
        lease: Lease | None,
    ) -> Acceptance:
        """See ``Journal.accept``."""
        instance = runs[0].instance
        key = decision.key or f"delivery:{event.delivery}"
        known = _known(db, instance, key, event.delivery, LIVE if again else "TRUE")
        lanes = [(run.application, run.trigger) for run in runs]
        duplicates = tuple(known[lane] for lane in lanes if lane in known)
        fresh = [run for run, lane in zip(runs, lanes, strict=True) if lane not in known]
        situations = [_situation(db, run, decision) for run in fresh]
        if older := _older(decision, fresh, situations):
            return Acceptance(duplicates=duplicates, older=older)
        if not fresh:
            return Acceptance(duplicates=duplicates)
        content = json.dumps(event_to_json(event))
        self._check_room(situations[0], len(content) * len(fresh))
        delivery = _record(db, instance, event, "accepted", "", content)
        row = _Row(delivery=delivery, key=key, decision=decision, size=len(content), untold=self.untold)
        return evolve(_inserted(db, row, fresh, situations, lease), duplicates=duplicates)

    def _check_room(self, situation: _Situation, size: int) -> None:
        if situation.runs >= self.limits.runs or situation.size + size > self.limits.size:
            raise UnavailableError(f"too many runs are waiting: {situation.runs}, with {situation.size} bytes")


def ignore(db: sqlite3.Connection, instance: str, event: Event, reason: str) -> None:
    """See ``Journal.ignore``."""
    accepted = db.execute(
        "SELECT 1 FROM deliveries WHERE instance = ? AND delivery = ? AND state = 'accepted'",
        (instance, event.delivery),
    ).fetchone()
    if accepted is not None:
        return
    content = json.dumps(event_to_json(event))
    number = _record(db, instance, event, "ignored", reason, content if len(content) <= MAX_CONTENT else "")
    db.execute("DELETE FROM deliveries WHERE state = 'ignored' AND id <= ?", (number - MAX_IGNORED,))
    db.execute(
        "UPDATE deliveries SET content = '' WHERE state = 'ignored' AND content <> '' AND id ="
        " (SELECT id FROM deliveries WHERE state = 'ignored' ORDER BY id DESC LIMIT 1 OFFSET ?)",
        (MAX_CONTENTS,),
    )


def _known(db: sqlite3.Connection, instance: str, key: str, delivery: str, counts: str) -> dict[tuple[str, str], str]:
    """Runs of the same event, by application and trigger.

    :param counts: the condition on which a run is one.
    """
    rows = db.execute(
        f"SELECT application, trigger_name, id FROM runs WHERE instance = ? AND event_key = ? AND {counts} UNION "
        "SELECT application, trigger_name, id FROM runs WHERE delivery = "
        f"(SELECT id FROM deliveries WHERE instance = ? AND delivery = ?) AND {counts}",
        (instance, key, instance, delivery),
    )
    return {(application, trigger): run for application, trigger, run in rows}


@frozen
class _Situation:
    """What there is when a run arrives. One question: each costs as much as the answer to it.

    :param runs: how many runs wait.
    :param size: bytes of their deliveries.
    :param busy: whether any of them is in the run's lane.
    :param paused: whether its application is paused.
    :param newer: the title of a newer version, which was accepted before.
    """

    runs: int
    size: int
    busy: bool
    paused: bool
    newer: str | None


_SITUATION = (
    "SELECT coalesce((SELECT runs FROM totals WHERE state = 'accepted'), 0),"
    " coalesce((SELECT bytes FROM totals WHERE state = 'accepted'), 0),"
    " EXISTS (SELECT 1 FROM runs WHERE state = 'accepted' AND application = :application),"
    " EXISTS (SELECT 1 FROM pauses WHERE application = :application),"
    " (SELECT title FROM runs WHERE application = :application AND trigger_name = :trigger AND version > :version"
    f" AND {LIVE} ORDER BY version DESC LIMIT 1)"
)


def _situation(db: sqlite3.Connection, run: Run, decision: Runs) -> _Situation:
    values = {"application": run.application, "trigger": run.trigger, "version": decision.version}
    return _Situation(*db.execute(_SITUATION, values).fetchone())


def _older(decision: Runs, runs: Sequence[Run], situations: Sequence[_Situation]) -> str:
    """Why the runs are not made, if a newer version of one of their applications was accepted before."""
    for run, situation in zip(runs, situations, strict=True):
        if situation.newer is not None and not decision.allow_older:
            return f"{decision.title} is older than {situation.newer}, which was accepted before for {run.application}"
    return ""


def _record(db: sqlite3.Connection, instance: str, event: Event, state: str, reason: str, content: str) -> int:
    row = db.execute(
        "INSERT INTO deliveries (instance, delivery, received_at, event, action, repository, state, reason, content)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (instance, delivery) DO UPDATE SET"
        " state = excluded.state, reason = excluded.reason, content = excluded.content RETURNING id",
        (instance, event.delivery, time.time(), event.name, event.action, event.repository, state, reason, content),
    ).fetchone()  # fmt: skip
    return int(row[0])


@frozen(kw_only=True)
class _Row:
    """What the rows of a delivery's runs have in common."""

    delivery: int
    key: str
    decision: Runs
    size: int
    untold: bool

    def insert(self, db: sqlite3.Connection, run: Run, lease: Lease | None) -> Run:
        decision = self.decision
        cursor = db.execute(
            "INSERT INTO runs (id, delivery, instance, application, trigger_name, event_key, version, title, vars,"
            " state, created_at, updated_at, bytes, untold, leased_by, leased_until)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (run.id, self.delivery, run.instance, run.application, run.trigger, self.key, decision.version,
             decision.title, json.dumps(dict(run.vars), default=str), run.state, run.created_at, run.created_at,
             self.size, self.untold, lease.holder if lease else None, until(lease) if lease else 0.0),
        )  # fmt: skip
        return evolve(run, number=int(cursor.lastrowid or 0))


def _inserted(
    db: sqlite3.Connection, row: _Row, fresh: Sequence[Run], situations: Sequence[_Situation], lease: Lease | None
) -> Acceptance:
    runs: list[Run] = []
    superseded: list[Run] = []
    claimed: list[Run] = []
    for run, situation in zip(fresh, situations, strict=True):
        busy = situation.busy or run.application in {other.application for other in runs}
        # In a free lane it is its turn at once, and nobody gives way to it.
        own = lease if not busy and not situation.paused else None
        runs.append(row.insert(db, run, own))
        if own:
            claimed.append(runs[-1])
        elif busy:
            superseded += superseded_by(db, run.id, row.untold, lease.holder if lease else "")
            claimed += claim(db, lease, run.application, {run.id: runs[-1]}) if lease else []
    return Acceptance(runs=tuple(runs), superseded=tuple(superseded), claimed=tuple(claimed))
