"""The books: what the journal says, held against what the senders were told and what was deployed."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from attrs import frozen

from proofs.machine import Machine, until
from proofs.outcome import ProofError
from proofs.senders import Senders

ENDED = ("deployed", "superseded")
COLUMNS = "id, application, state, attempts, title, detail, created_at"


@frozen
class Row:
    """A run in the journal.

    :param created_at: seconds since the epoch.
    """

    id: str
    application: str
    state: str
    attempts: int
    title: str
    detail: str
    created_at: float = 0.0


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that changes nothing."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as db:
        yield db


def runs(path: Path) -> dict[str, Row]:
    """All runs by id."""
    with reading(path) as db:
        rows = db.execute(f"SELECT {COLUMNS} FROM runs ORDER BY rowid").fetchall()
    return {row[0]: Row(*row) for row in rows}


def integrity(path: Path) -> str:
    """What SQLite says of the file."""
    with closing(sqlite3.connect(path)) as db:
        return str(db.execute("PRAGMA integrity_check").fetchone()[0])


def rest(machine: Machine) -> bool:
    """Wait until every run has ended; whether they did."""

    def ended() -> bool:
        with reading(machine.journal) as db:
            marks = ", ".join("?" * len(ENDED))
            return not db.execute(f"SELECT 1 FROM runs WHERE state NOT IN ({marks}) LIMIT 1", ENDED).fetchone()

    try:
        until(ended, "the runs do not come to an end", pause=0.2)
    except ProofError:
        return False
    return True


def counted(machine: Machine, senders: Senders) -> dict[str, Any]:
    """The figures that every proof of receipt shows; call it when the server is gone."""
    rows, deploys = runs(machine.journal), machine.deploys()
    times = Counter(run for _, run, _ in deploys)
    states = Counter(row.state for row in rows.values())
    return {
        "requests": senders.answers.total(),
        "accepted": len(senders.accepted),
        "duplicates": senders.answers["200 duplicate"],
        "unavailable": senders.answers["503 unavailable"],
        "deployed": len(times),
        "superseded": states["superseded"],
        "repeated": sum(times.values()) - len(times),
        "lost": len(lost(senders.accepted, rows, times)),
        "stale": stale(machine.names, senders.accepted, rows, {name: tag for name, _, tag in deploys}),
        "integrity": integrity(machine.journal),
    }


def lost(accepted: Iterable[str], rows: Mapping[str, Row], times: Mapping[str, int]) -> set[str]:
    """Runs that were accepted and came to no good end, and those of which the journal wrongly says that they did."""
    missing = {run for run in accepted if run not in rows or rows[run].state not in ENDED}
    unended = {run for run, row in rows.items() if row.state not in ENDED}
    return missing | unended | {run for run, row in rows.items() if row.state == "deployed" and run not in times}


def stale(
    names: Iterable[str], accepted: Mapping[str, tuple[str, int]], rows: Mapping[str, Row], last: Mapping[str, str]
) -> int:
    """How many applications have a newer release than the one that was deployed last.

    The journal counts too: a server that is killed between its commit and its answer has accepted a release of which
    the sender knows nothing; when the senders stop in that moment, nobody sends it again.
    """
    numbers = [(row.application, int(row.title.removeprefix("v"))) for row in rows.values()]
    newest = {name: f"v{number}" for name, number in sorted([*numbers, *accepted.values()])}
    return sum(last.get(name) != newest.get(name) for name in names)


def verdict(figures: Mapping[str, Any]) -> list[str]:
    """What of the promise does not hold."""
    broken = []
    if figures["lost"]:
        broken.append(f"{figures['lost']} accepted runs were lost")
    if figures["stale"]:
        broken.append(f"{figures['stale']} applications do not have their newest release")
    if figures["integrity"] != "ok":
        broken.append(f"the journal is damaged: {figures['integrity']}")
    return broken
