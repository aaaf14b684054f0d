"""The SQLite engine: what is new, what is a duplicate, what is older; and what each state means later."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from tests.server_support import event, run

from duct_tape.api import Run, Runs, RunState
from duct_tape.errors import JournalError, StartupError
from duct_tape.journal import Acceptance
from duct_tape.journal import sqlite as module
from duct_tape.journal.sqlite import SQLiteJournal

Function = Callable[[SQLiteJournal], Awaitable[None]]


@pytest.fixture
def with_journal(tmp_path: Path) -> Callable[[Function], None]:
    """Runs a function with the journal of one folder; called again, it is a restart."""

    def opened(function: Function) -> None:
        async def main() -> None:
            journal = SQLiteJournal(tmp_path / "var" / "journal.sqlite3")
            try:
                await function(journal)
            finally:
                await journal.close()

        asyncio.run(main())

    return opened


With = Callable[[Function], None]


async def accept(
    journal: SQLiteJournal, number: int, *applications: str, delivery: str = "", **decision: Any
) -> Acceptance:
    """Accept one delivery with a run for each application; ids are ``<application>-<number>``."""
    delivery = delivery or f"d-{number}"
    planned = [
        run(application=name, event=event(delivery), created_at=float(number)) for name in applications or ("app",)
    ]
    runs = [_named(item, number) for item in planned]
    return await journal.accept(event(delivery), Runs(runs=(), **decision), runs)


def _named(item: Run, number: int) -> Run:
    return evolve(item, id=f"{item.application}-{number}")


def ids(runs: Any) -> list[str]:
    return [item.id for item in runs]


async def states(journal: SQLiteJournal) -> dict[str, str]:
    return {item.id: str(item.state) for item in await journal.recent(100)}


def test_what_was_accepted_comes_back_as_it_was(with_journal: With) -> None:
    given = run(vars={"colour": "blue", "n": 1}, created_at=12.5, updated_at=12.5)

    async def before(journal: SQLiteJournal) -> None:
        accepted = await journal.accept(given.event, Runs(runs=(), key="k", title="v1"), [given])
        assert accepted == Acceptance(runs=(given,))

    async def after(journal: SQLiteJournal) -> None:
        assert await journal.unfinished() == [given]
        assert await journal.recent(1) == [given]
        assert await journal.counts() == {"accepted": 1}

    with_journal(before)
    with_journal(after)


def test_dates_in_vars_are_kept_as_the_text_that_templates_show(with_journal: With) -> None:
    async def main(journal: SQLiteJournal) -> None:
        await journal.accept(event(), Runs(runs=()), [run(vars={"since": date(2026, 1, 2)})])
        assert (await journal.unfinished())[0].vars == {"since": "2026-01-02"}

    with_journal(main)


@pytest.mark.parametrize("decision", [{}, {"key": "release:1"}])
def test_one_delivery_makes_its_runs_once(with_journal: With, decision: dict[str, str]) -> None:
    async def main(journal: SQLiteJournal) -> None:
        assert ids((await accept(journal, 1, **decision)).runs) == ["app-1"]
        again = await accept(journal, 2, delivery="d-1", **decision)
        assert (again.runs, again.duplicates) == ((), ("app-1",))

    with_journal(main)


def test_one_event_in_two_deliveries_makes_its_runs_once(with_journal: With) -> None:
    async def main(journal: SQLiteJournal) -> None:
        await accept(journal, 1, key="release:1")
        assert (await accept(journal, 2, key="release:1")).duplicates == ("app-1",)
        assert ids((await accept(journal, 3, key="release:2")).runs) == ["app-3"]
        assert ids((await accept(journal, 4)).runs) == ["app-4"]

    with_journal(main)


def test_two_instances_do_not_know_each_others_deliveries(with_journal: With) -> None:
    async def main(journal: SQLiteJournal) -> None:
        for number, instance in enumerate(("one", "two")):
            item = run(number, instance=instance, event=event("same"))
            assert (await journal.accept(item.event, Runs(runs=(), key="same"), [item])).runs == (item,)

    with_journal(main)


def test_a_new_application_of_a_known_event_gets_its_run(with_journal: With) -> None:
    async def main(journal: SQLiteJournal) -> None:
        await accept(journal, 1, "app", key="k")
        second = await accept(journal, 2, "app", "other", key="k")
        assert (ids(second.runs), second.duplicates) == (["other-2"], ("app-1",))

    with_journal(main)


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.REFUSED])
def test_after_a_failed_run_a_redelivery_runs_again(with_journal: With, state: RunState) -> None:
    async def main(journal: SQLiteJournal) -> None:
        await accept(journal, 1, key="k")
        await journal.finish("app-1", state, "no")
        assert ids((await accept(journal, 2, delivery="d-1", key="k")).runs) == ["app-2"]
        await journal.finish("app-2", RunState.DONE, "yes")
        assert (await accept(journal, 3, delivery="d-1", key="k")).duplicates == ("app-2",)

    with_journal(main)


@pytest.mark.parametrize("state", [RunState.DONE, RunState.FLAGGED, RunState.SUPERSEDED, RunState.ACCEPTED])
def test_after_any_other_it_is_a_duplicate(with_journal: With, state: RunState) -> None:
    async def main(journal: SQLiteJournal) -> None:
        await accept(journal, 1)
        await journal.finish("app-1", state, "")
        assert (await accept(journal, 2, delivery="d-1")).duplicates == ("app-1",)

    with_journal(main)


def test_an_older_version_makes_no_runs(with_journal: With) -> None:
    async def main(journal: SQLiteJournal) -> None:
        await accept(journal, 1, version="2026-02-01T00:00:00Z", title="v2", key="2")
        older = await accept(journal, 2, version="2026-01-01T00:00:00Z", title="v1", key="1")
        assert older == Acceptance(older="v1 is older than v2, which was accepted before for app")
        assert ids((await accept(journal, 3, "other", version="2026-01-01T00:00:00Z", key="1")).runs) == ["other-3"]
        assert ids((await accept(journal, 4, version="2026-02-01T00:00:00Z", key="same age")).runs) == ["app-4"]
        assert ids((await accept(journal, 5, key="no age")).runs) == ["app-5"]

    with_journal(main)


def test_an_older_version_is_fine_where_it_is_allowed_or_the_newer_one_failed(with_journal: With) -> None:
    async def main(journal: SQLiteJournal) -> None:
        await accept(journal, 1, version="2026-02-01T00:00:00Z", key="2")
        allowed = await accept(journal, 2, version="2026-01-01T00:00:00Z", key="1", allow_older=True)
        assert ids(allowed.runs) == ["app-2"]
        await journal.finish("app-1", RunState.FAILED, "")
        await journal.finish("app-2", RunState.FAILED, "")
        assert ids((await accept(journal, 3, version="2026-01-01T00:00:00Z", key="0")).runs) == ["app-3"]

    with_journal(main)


def test_only_what_was_accepted_is_unfinished_and_in_the_order_of_arrival(with_journal: With) -> None:
    async def main(journal: SQLiteJournal) -> None:
        # The ids go down, as they do when the clock is set back between two deliveries.
        for number in (9, 8, 7, 6):
            await accept(journal, number)
        await journal.finish("app-8", RunState.DONE, "")
        assert ids(await journal.unfinished()) == ["app-9", "app-7", "app-6"]
        assert ids(await journal.recent(2)) == ["app-6", "app-7"]

    with_journal(main)


def test_attempts_are_counted_with_their_last_detail(with_journal: With) -> None:
    async def main(journal: SQLiteJournal) -> None:
        await accept(journal, 1)
        await journal.attempted("app-1", "busy")
        await journal.attempted("app-1", "still busy")
        found = (await journal.unfinished())[0]
        assert (found.attempts, found.detail, found.state) == (2, "still busy", "accepted")
        await journal.finish("app-1", RunState.DONE, "at last")
        found = (await journal.recent(1))[0]
        assert (found.attempts, found.detail, found.state) == (3, "at last", "done")

    with_journal(main)


def test_superseded_are_only_runs_of_the_same_application_that_left_a_flag(with_journal: With) -> None:
    async def main(journal: SQLiteJournal) -> None:
        for number, state in enumerate((RunState.FLAGGED, RunState.DONE, RunState.FAILED, RunState.ACCEPTED)):
            await accept(journal, number)
            await journal.finish(f"app-{number}", state, "")
        await accept(journal, 4, "other")
        await journal.finish("other-4", RunState.FLAGGED, "")
        await accept(journal, 5)
        names = ("app-0", "app-1", "app-2", "app-3", "other-4", "app-5", "nobody' OR 1=1")
        await journal.finish("app-5", RunState.FLAGGED, "", names)
        assert await states(journal) == {
            "app-0": "superseded", "app-1": "superseded", "app-2": "failed", "app-3": "accepted", "other-4": "flagged",
            "app-5": "flagged",
        }  # fmt: skip
        found = {item.id: item.detail for item in await journal.recent(10)}
        assert found["app-0"] == "run app-5 replaced its flag"

    with_journal(main)


async def deliveries(journal: SQLiteJournal) -> list[tuple[str, str, str]]:
    sql = "SELECT delivery, state, reason FROM deliveries ORDER BY id"
    found: list[tuple[str, str, str]] = await journal._writer.run(lambda db: db.execute(sql).fetchall())
    return found


def test_ignored_deliveries_are_recorded_and_bounded(with_journal: With, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_IGNORED", 3)

    async def main(journal: SQLiteJournal) -> None:
        for number in range(10):
            journal.ignore("sender", event(f"i-{number}"), "a draft")
        assert await deliveries(journal) == [(f"i-{number}", "ignored", "a draft") for number in (7, 8, 9)]
        journal.ignore("sender", event("i-9"), "another reason")
        assert (await deliveries(journal))[-1] == ("i-9", "ignored", "another reason")

    with_journal(main)


def test_an_accepted_delivery_is_not_made_ignored_and_an_ignored_one_can_be_accepted(with_journal: With) -> None:
    async def main(journal: SQLiteJournal) -> None:
        journal.ignore("sender", event("d-1"), "a draft")
        assert ids((await accept(journal, 1)).runs) == ["app-1"]
        journal.ignore("sender", event("d-1"), "a draft")
        assert await deliveries(journal) == [("d-1", "accepted", "")]

    with_journal(main)


def test_many_at_once_make_one_run_each(with_journal: With) -> None:
    async def main(journal: SQLiteJournal) -> None:
        found = await asyncio.gather(*(accept(journal, n, delivery=f"d-{n % 50}", key=f"{n % 50}") for n in range(200)))
        assert sum(len(item.runs) for item in found) == 50
        assert all(item.runs or item.duplicates for item in found)
        assert await journal.counts() == {"accepted": 50}

    with_journal(main)


def test_what_sqlite_cannot_keep_is_a_journal_error(with_journal: With) -> None:
    async def main(journal: SQLiteJournal) -> None:
        for title in ("\ud800", 3.5 + 2j):
            with pytest.raises(JournalError, match="the journal cannot hold this"):
                await accept(journal, 1, title=title)
        assert await journal.counts() == {}

    with_journal(main)


def test_a_second_server_on_one_journal_is_refused(with_journal: With, tmp_path: Path) -> None:
    path = tmp_path / "var" / "journal.sqlite3"

    async def main(journal: SQLiteJournal) -> None:
        with pytest.raises(StartupError, match=f"^another server already uses the journal {path}: stop it first$"):
            SQLiteJournal(path)

    with_journal(main)
    with_journal(main)


def test_a_journal_that_cannot_be_opened_lets_go_of_its_lock(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    path.mkdir()
    for _ in range(2):
        with pytest.raises(StartupError, match="Is a directory"):
            SQLiteJournal(path)
    (tmp_path / "file").touch()
    with pytest.raises(StartupError, match="cannot be opened"):
        SQLiteJournal(tmp_path / "file" / "journal.sqlite3")
