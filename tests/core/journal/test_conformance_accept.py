"""Every engine: what is new, what is a duplicate, what is older, and what is too much."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest
from attrs import evolve
from tests.journal_support import LEASE, With, accept, ids, version
from tests.server_support import event, run

from duct_tape.api import Runs, RunState
from duct_tape.errors import JournalError, UnavailableError
from duct_tape.journal import Acceptance, Journal, Limits


def test_what_was_accepted_comes_back_as_it_was(with_journal: With) -> None:
    given = run(vars={"colour": "blue", "n": 1}, created_at=12.5, updated_at=12.5)
    known = evolve(given, number=1)

    async def before(journal: Journal) -> None:
        accepted = await journal.accept(given.event, Runs(runs=(), key="k", title="v1"), [given])
        assert accepted == Acceptance(runs=(known,))

    async def after(journal: Journal) -> None:
        assert await journal.unfinished() == [known]
        assert await journal.recent(1) == [known]
        assert await journal.counts() == {"accepted": 1}

    with_journal(before)
    with_journal(after)


def test_dates_in_vars_are_kept_as_the_text_that_templates_show(with_journal: With) -> None:
    async def main(journal: Journal) -> None:
        await journal.accept(event(), Runs(runs=()), [run(vars={"since": date(2026, 1, 2)})])
        assert (await journal.unfinished())[0].vars == {"since": "2026-01-02"}

    with_journal(main)


@pytest.mark.parametrize("decision", [{}, {"key": "release:1"}])
def test_one_delivery_makes_its_runs_once(with_journal: With, decision: dict[str, Any]) -> None:
    async def main(journal: Journal) -> None:
        assert ids((await accept(journal, 1, **decision)).runs) == ["app-1"]
        again = await accept(journal, 2, delivery="d-1", **decision)
        assert (again.runs, again.duplicates) == ((), ("app-1",))

    with_journal(main)


def test_one_event_in_two_deliveries_makes_its_runs_once(with_journal: With) -> None:
    async def main(journal: Journal) -> None:
        await accept(journal, 1, key="release:1")
        assert (await accept(journal, 2, key="release:1")).duplicates == ("app-1",)
        assert ids((await accept(journal, 3, key="release:2")).runs) == ["app-3"]
        assert ids((await accept(journal, 4)).runs) == ["app-4"]

    with_journal(main)


def test_two_instances_do_not_know_each_others_deliveries(with_journal: With) -> None:
    async def main(journal: Journal) -> None:
        for number, instance in enumerate(("one", "two")):
            item = run(number, instance=instance, event=event("same"))
            assert (await journal.accept(item.event, Runs(runs=(), key="same"), [item])).runs == (
                evolve(item, number=number + 1),
            )

    with_journal(main)


def test_a_new_application_of_a_known_event_gets_its_run(with_journal: With) -> None:
    async def main(journal: Journal) -> None:
        await accept(journal, 1, "app", key="k")
        second = await accept(journal, 2, "app", "other", key="k")
        assert (ids(second.runs), second.duplicates) == (["other-2"], ("app-1",))

    with_journal(main)


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.REFUSED])
def test_after_a_failed_run_a_redelivery_runs_again(with_journal: With, state: RunState) -> None:
    async def main(journal: Journal) -> None:
        await accept(journal, 1, key="k")
        await journal.finish("app-1", state, "no")
        assert ids((await accept(journal, 2, delivery="d-1", key="k")).runs) == ["app-2"]
        await journal.finish("app-2", RunState.DONE, "yes")
        assert (await accept(journal, 3, delivery="d-1", key="k")).duplicates == ("app-2",)

    with_journal(main)


@pytest.mark.parametrize("state", [RunState.DONE, RunState.FLAGGED, RunState.SUPERSEDED, RunState.ACCEPTED])
def test_after_any_other_it_is_a_duplicate(with_journal: With, state: RunState) -> None:
    async def main(journal: Journal) -> None:
        await accept(journal, 1)
        await journal.finish("app-1", state, "")
        assert (await accept(journal, 2, delivery="d-1")).duplicates == ("app-1",)

    with_journal(main)


def test_an_older_version_makes_no_runs(with_journal: With) -> None:
    async def main(journal: Journal) -> None:
        await accept(journal, 1, version="2026-02-01T00:00:00Z", title="v2", key="2")
        older = await accept(journal, 2, version="2026-01-01T00:00:00Z", title="v1", key="1")
        assert older == Acceptance(older="v1 is older than v2, which was accepted before for app")
        assert ids((await accept(journal, 3, "other", version="2026-01-01T00:00:00Z", key="1")).runs) == ["other-3"]
        assert ids((await accept(journal, 4, version="2026-02-01T00:00:00Z", key="same age")).runs) == ["app-4"]
        assert ids((await accept(journal, 5, key="no age")).runs) == ["app-5"]

    with_journal(main)


def test_an_older_version_is_fine_where_it_is_allowed_or_the_newer_one_failed(with_journal: With) -> None:
    async def main(journal: Journal) -> None:
        await accept(journal, 1, version="2026-02-01T00:00:00Z", key="2")
        allowed = await accept(journal, 2, version="2026-01-01T00:00:00Z", key="1", allow_older=True)
        assert ids(allowed.runs) == ["app-2"]
        await journal.finish("app-2", RunState.FAILED, "")
        assert (await accept(journal, 3, version="2026-01-01T00:00:00Z", key="0")).older
        await accept(journal, 4, "other", version="2026-02-01T00:00:00Z", key="2")
        await journal.finish("other-4", RunState.FAILED, "")
        assert ids((await accept(journal, 5, "other", version="2026-01-01T00:00:00Z", key="0")).runs) == ["other-5"]

    with_journal(main)


def test_many_at_once_make_one_run_each(with_journal: With) -> None:
    async def main(journal: Journal) -> None:
        found = await asyncio.gather(*(accept(journal, n, delivery=f"d-{n % 50}", key=f"{n % 50}") for n in range(200)))
        assert sum(len(item.runs) for item in found) == 50
        assert all(item.runs or item.duplicates for item in found)
        assert await journal.counts() == {"accepted": 50}

    with_journal(main)


def test_what_sqlite_cannot_keep_is_a_journal_error(with_journal: With) -> None:
    async def main(journal: Journal) -> None:
        for title in ("\ud800", 3.5 + 2j):
            with pytest.raises(JournalError, match="the journal cannot hold this"):
                await accept(journal, 1, title=title)
        assert await journal.counts() == {}

    with_journal(main)


def test_what_failed_counts_where_nothing_is_to_run_again(with_journal: With) -> None:
    async def main(journal: Journal) -> None:
        await accept(journal, 1, key="k")
        await journal.finish("app-1", RunState.FAILED, "no")
        assert (await accept(journal, 2, key="k", again=False)).duplicates == ("app-1",)
        assert ids((await accept(journal, 3, key="k")).runs) == ["app-3"]

    with_journal(main)


@pytest.mark.parametrize("limits", [Limits(runs=2), Limits(size=1000)])
def test_above_a_bound_nothing_is_accepted_until_there_is_room(with_journal: With, limits: Limits) -> None:
    async def main(journal: Journal) -> None:
        for number in (1, 2):
            await accept(journal, number, size=200)
        with pytest.raises(UnavailableError, match=r"^too many runs are waiting: 2, with "):
            await accept(journal, 3, size=200)
        assert [item.delivery for item in await journal.deliveries(9)] == ["d-2", "d-1"]
        assert (await accept(journal, 4, delivery="d-1")).duplicates == ("app-1",), "what is known costs nothing"
        await journal.finish("app-1", RunState.DONE, "")
        assert ids((await accept(journal, 3, size=200)).runs) == ["app-3"]

    with_journal(main, limits=limits)


def test_of_the_versions_that_wait_only_the_newest_stays(with_journal: With) -> None:
    async def main(journal: Journal) -> None:
        await version(journal, 1, "app", "other")
        await accept(journal, 2)
        await version(journal, 3, trigger="another")
        accepted = await version(journal, 4)
        assert ids(accepted.superseded) == ["app-1"]
        (old,) = accepted.superseded
        assert (old.state, old.detail) == ("superseded", "v4 was accepted before its turn came (run app-4)")
        assert ids(await journal.unfinished()) == ["other-1", "app-2", "app-3", "app-4"]

    with_journal(main)


def test_one_version_by_two_integrations_waits_twice(with_journal: With) -> None:
    async def main(journal: Journal) -> None:
        decision = Runs(runs=(), key="release:1", version="1", title="v1")
        for number, instance in enumerate(("one", "two")):
            item = run(number, instance=instance)
            assert (await journal.accept(item.event, decision, [item])).superseded == ()

    with_journal(main)


def test_who_accepts_can_take_up_the_first_of_each_free_lane_at_once(with_journal: With) -> None:
    async def main(journal: Journal) -> None:
        first = await accept(journal, 1, "app", "other", lease=LEASE)
        assert first.claimed == first.runs
        second = await accept(journal, 2, "app", "third", lease=LEASE)
        assert ids(second.claimed) == ["third-2"]
        await accept(journal, 3, "fourth")
        assert ids((await accept(journal, 4, "fourth", lease=LEASE)).claimed) == ["fourth-3"]

    with_journal(main)
