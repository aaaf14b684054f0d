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
from duct_tape.journal.lanes import claim, superseded_by
from duct_tape.runs import REPEATABLE, Run

# Rows of ignored deliveries, and how many of them keep their content, each up to so many bytes: enough to replay what
# somebody finds out about today.
MAX_IGNORED = 10_000
MAX_CONTENTS = 1_000
MAX_CONTENT = 256 * 1024

_LIVE = "state NOT IN ({})".format(", ".join(f"'{state}'" for state in sorted(REPEATABLE)))


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
        known = _known(db, instance, key, event.delivery, _LIVE if again else "TRUE")
        lanes = [(run.application, run.trigger) for run in runs]
        duplicates = tuple(known[lane] for lane in lanes if lane in known)
        fresh = [run for run, lane in zip(runs, lanes, strict=True) if lane not in known]
        older = "" if decision.allow_older else _older(db, decision, fresh)
        if older or not fresh:
            return Acceptance(duplicates=duplicates, older=older)
        content = json.dumps(event_to_json(event))
        self._check_room(db, len(content) * len(fresh))
        delivery = _record(db, instance, event, "accepted", "", content)
        superseded, inserted = [], []
        for run in fresh:
            inserted.append(_inserted(db, run, delivery, key, decision, len(content), self.untold))
            superseded += superseded_by(db, run.id, self.untold)
        claimed = _claimed(db, lease, inserted) if lease else ()
        return Acceptance(runs=tuple(inserted), duplicates=duplicates, superseded=tuple(superseded), claimed=claimed)

    def _check_room(self, db: sqlite3.Connection, size: int) -> None:
        row = db.execute("SELECT runs, bytes FROM totals WHERE state = 'accepted'").fetchone() or (0, 0)
        if row[0] >= self.limits.runs or row[1] + size > self.limits.size:
            raise UnavailableError(f"too many runs are waiting: {row[0]}, with {row[1]} bytes")


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


def _older(db: sqlite3.Connection, decision: Runs, runs: Sequence[Run]) -> str:
    """Why the runs are not made, if a newer version of one of their applications was accepted before."""
    if decision.version is None:
        return ""
    for run in runs:
        row = db.execute(
            f"SELECT title FROM runs WHERE application = ? AND trigger_name = ? AND version > ? AND {_LIVE} "
            "ORDER BY version DESC LIMIT 1",
            (run.application, run.trigger, decision.version),
        ).fetchone()
        if row:
            return f"{decision.title} is older than {row[0]}, which was accepted before for {run.application}"
    return ""


def _record(db: sqlite3.Connection, instance: str, event: Event, state: str, reason: str, content: str) -> int:
    row = db.execute(
        "INSERT INTO deliveries (instance, delivery, received_at, event, action, repository, state, reason, content)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (instance, delivery) DO UPDATE SET"
        " state = excluded.state, reason = excluded.reason, content = excluded.content RETURNING id",
        (instance, event.delivery, time.time(), event.name, event.action, event.repository, state, reason, content),
    ).fetchone()  # fmt: skip
    return int(row[0])


def _inserted(
    db: sqlite3.Connection, run: Run, delivery: int, key: str, decision: Runs, size: int, untold: bool
) -> Run:
    row = db.execute(
        "INSERT INTO runs (id, delivery, instance, application, trigger_name, event_key, version, title, vars,"
        " state, created_at, updated_at, bytes, untold) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " RETURNING rowid",
        (run.id, delivery, run.instance, run.application, run.trigger, key, decision.version, decision.title,
         json.dumps(dict(run.vars), default=str), run.state, run.created_at, run.created_at, size, untold),
    ).fetchone()  # fmt: skip
    return evolve(run, number=row[0])


def _claimed(db: sqlite3.Connection, lease: Lease, fresh: Sequence[Run]) -> tuple[Run, ...]:
    known = {run.id: run for run in fresh}
    lanes = dict.fromkeys(run.application for run in fresh)
    return tuple(run for application in lanes for run in claim(db, lease, application, known))
