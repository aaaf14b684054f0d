"""Every engine: what is kept, what operators see of it and do about it, and what is forgotten."""

from __future__ import annotations

import pytest
from tests.journal_support import LEASE, With, accept, ids, states, version
from tests.server_support import event

from duct_tape.api import RunState
from duct_tape.journal import Journal, Keep, Stored, accepting
from duct_tape.runs import REPEATABLE, UNSUCCESSFUL

YEARS = 1e9


async def deliveries(journal: Journal) -> list[tuple[str, str, str]]:
    """All deliveries, oldest first, after what nobody waits for is recorded."""
    await journal.untold()
    return [(item.delivery, item.state, item.reason) for item in (await journal.deliveries(100))[::-1]]


def test_ignored_deliveries_are_recorded_and_bounded(with_journal: With, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accepting, "MAX_IGNORED", 3)

    async def main(journal: Journal) -> None:
        for number in range(10):
            journal.ignore("sender", event(f"i-{number}"), "a draft")
        assert await deliveries(journal) == [(f"i-{number}", "ignored", "a draft") for number in (7, 8, 9)]
        journal.ignore("sender", event("i-9"), "another reason")
        assert (await deliveries(journal))[-1] == ("i-9", "ignored", "another reason")

    with_journal(main)


def test_an_accepted_delivery_is_not_made_ignored_and_an_ignored_one_can_be_accepted(with_journal: With) -> None:
    async def main(journal: Journal) -> None:
        journal.ignore("sender", event("d-1"), "a draft")
        assert ids((await accept(journal, 1)).runs) == ["app-1"]
        journal.ignore("sender", event("d-1"), "a draft")
        assert await deliveries(journal) == [("d-1", "accepted", "")]

    with_journal(main)


def test_a_delivery_is_kept_with_its_event_and_its_runs(with_journal: With, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accepting, "MAX_CONTENTS", 2)
    monkeypatch.setattr(accepting, "MAX_CONTENT", 1000)

    async def main(journal: Journal) -> None:
        await accept(journal, 1, "app", "other")
        given = [event(f"i-{number}", payload={"number": number}) for number in range(4)]
        for item in given:
            journal.ignore("sender", item, "a draft")
        journal.ignore("sender", event("huge", payload={"x": "y" * 1000}), "a draft")
        await journal.untold()
        (stored,) = await journal.delivery("d-1")
        assert stored.event == event("d-1", payload={"size": ""})
        assert ids(stored.runs) == ["app-1", "other-1"]
        assert (stored.recorded.state, stored.recorded.instance) == ("accepted", "sender")
        found = [await journal.delivery(f"i-{number}") for number in range(4)]
        assert [item.event for (item,) in found] == [None, None, None, given[3]]
        (huge,) = await journal.delivery("huge")
        assert huge.event is None
        assert await journal.delivery("nothing") == []
        assert "payload" not in repr(Stored(recorded=stored.recorded, event=stored.event))

    with_journal(main)


@pytest.mark.parametrize("state", sorted(UNSUCCESSFUL))
def test_what_failed_for_good_is_a_dead_letter(with_journal: With, state: RunState) -> None:
    async def main(journal: Journal) -> None:
        for number in (1, 2):
            await accept(journal, number, "app", "other")
            await journal.finish(f"app-{number}", state, "no")
        assert ids(await journal.dead(9)) == ["app-2", "app-1"]
        assert ids(await journal.dead(1, "app")) == ["app-2"]
        assert await journal.dead(9, "other") == []

    with_journal(main)


@pytest.mark.parametrize("state", sorted(set(RunState) - UNSUCCESSFUL))
def test_nothing_else_is(with_journal: With, state: RunState) -> None:
    async def main(journal: Journal) -> None:
        await accept(journal, 1)
        await journal.finish("app-1", state, "")
        assert await journal.dead(9) == []

    with_journal(main)


def test_a_dead_letter_is_one_until_somebody_or_something_sees_to_it(with_journal: With) -> None:
    async def main(journal: Journal) -> None:
        for number, name in enumerate(("redriven", "delivered again", "overtaken", "discarded", "left")):
            await accept(journal, number, name, key=name)
            await journal.finish(f"{name}-{number}", RunState.FAILED, "no")
        assert await journal.redrive("redriven-0", "again")
        await accept(journal, 10, "delivered again", key="delivered again")
        await accept(journal, 11, "overtaken")
        await journal.finish("overtaken-11", RunState.DONE, "yes")
        assert await journal.discard("discarded-3", "nobody needs it")
        assert ids(await journal.dead(9)) == ["left-4"]
        await journal.finish("again", RunState.FAILED, "no")
        assert ids(await journal.dead(9)) == ["again", "left-4"]

    with_journal(main)


def test_a_run_is_repeated_as_it_was_and_in_its_turn(with_journal: With) -> None:
    async def main(journal: Journal) -> None:
        await version(journal, 1)
        await journal.finish("app-1", RunState.DONE, "")
        await version(journal, 2)
        assert await journal.redrive("app-1", "again")
        assert not await journal.redrive("nobody", "never")
        (again,) = await journal.claim(LEASE)
        assert (again.id, again.detail, again.state) == ("again", "repeats run app-1", "accepted")
        first = await journal.find("app-1")
        assert first
        assert (again.event, again.vars, again.trigger) == (first.event, first.vars, first.trigger)
        assert (await states(journal))["app-2"] == "superseded"
        assert await journal.find("nobody") is None

    with_journal(main)


@pytest.mark.parametrize("state", list(RunState))
def test_only_what_failed_can_be_discarded(with_journal: With, state: RunState) -> None:
    async def main(journal: Journal) -> None:
        await accept(journal, 1)
        await journal.finish("app-1", state, "before")
        assert await journal.discard("app-1", "after") is (state in UNSUCCESSFUL)
        found = await journal.find("app-1")
        assert found
        assert found.state == ("discarded" if state in UNSUCCESSFUL else state)
        assert found.detail == ("after" if state in UNSUCCESSFUL else "before")

    with_journal(main)


def test_only_what_nobody_is_at_work_on_can_be_cancelled(with_journal: With) -> None:
    async def main(journal: Journal) -> None:
        for number in (1, 2):
            await accept(journal, number)
        await journal.claim(LEASE)
        assert not await journal.cancel("app-1", "no")
        assert await journal.cancel("app-2", "by hand")
        assert not await journal.cancel("app-2", "again")
        assert await states(journal) == {"app-1": "accepted", "app-2": "cancelled"}
        assert RunState.CANCELLED in REPEATABLE

    with_journal(main)


def test_the_server_is_told_once_what_a_command_changed(with_journal: With) -> None:
    async def server(journal: Journal) -> None:
        for number, name in enumerate(("failed", "waiting", "paused")):
            await version(journal, number, name)
        await journal.finish("failed-0", RunState.FAILED, "")
        assert await journal.untold() == []

    async def command(journal: Journal) -> None:
        await journal.redrive("failed-0", "again")
        await journal.discard("failed-0", "")
        await journal.cancel("waiting-1", "")
        await version(journal, 9, "paused")

    async def told(journal: Journal) -> None:
        assert {(run.id, str(run.state)) for run in await journal.untold()} == {
            ("again", "accepted"), ("failed-0", "discarded"), ("waiting-1", "cancelled"), ("paused-2", "superseded"),
            ("paused-9", "accepted"),
        }  # fmt: skip
        assert await journal.untold() == []

    with_journal(server)
    with_journal(command, server=False)
    with_journal(told)


async def history(journal: Journal) -> None:
    """Six runs of one application, in the order of their ids."""
    for number, state in enumerate(("done", "failed", "deployed", "superseded", "flagged", "accepted")):
        await accept(journal, number)
        await journal.finish(f"app-{number}", RunState(state), "")


def test_beyond_a_number_the_past_is_forgotten_but_not_what_counts(with_journal: With) -> None:
    async def main(journal: Journal) -> None:
        await history(journal)
        await accept(journal, 6, "other")
        await journal.finish("other-6", RunState.DONE, "")
        assert await journal.prune(Keep(seconds=YEARS, runs=6)) == 1
        assert "app-0" not in await states(journal)
        assert await journal.prune(Keep(seconds=YEARS, runs=1)) == 2
        # The last good run of each application, and what has not ended.
        assert ids(await journal.recent(9)) == ["other-6", "app-5", "app-4", "app-2"]
        assert ids(await journal.recent(1, "app", RunState.DEPLOYED)) == ["app-2"]
        assert [item.delivery for item in await journal.deliveries(9)] == ["d-6", "d-5", "d-4", "d-2"]
        assert await journal.counts() == {"accepted": 1, "deployed": 1, "done": 1, "flagged": 1}
        assert await journal.prune(Keep(seconds=YEARS, runs=1)) == 0

    with_journal(main)


def test_what_is_older_than_an_age_is_forgotten(with_journal: With, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("duct_tape.journal.pruning.PRESENT", 2)

    async def main(journal: Journal) -> None:
        monkeypatch.setattr("time.time", lambda: 1_000_000.0)
        await history(journal)
        journal.ignore("sender", event("i-1"), "a draft")
        assert len(await deliveries(journal)) == 7
        monkeypatch.setattr("time.time", lambda: 1_000_100.0)
        for number in (7, 8):
            await accept(journal, number)
        assert await journal.prune(Keep(seconds=200.0)) == 0
        assert await journal.prune(Keep(seconds=50.0)) == 3
        assert ids(await journal.recent(9)) == ["app-8", "app-7", "app-5", "app-4", "app-2"]
        assert "i-1" not in [item.delivery for item in await journal.deliveries(9)]

    with_journal(main)


def test_a_clock_that_jumps_ahead_does_not_cost_the_past(with_journal: With, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(journal: Journal) -> None:
        await history(journal)
        monkeypatch.setattr("time.time", lambda: 1e11)
        for number in (7, 8, 9):
            await accept(journal, number)
        assert await journal.prune(Keep()) == 0

    with_journal(main)


def test_the_newest_version_is_kept_although_an_older_one_was_deployed_since(with_journal: With) -> None:
    async def main(journal: Journal) -> None:
        for number in (1, 2):
            await version(journal, number)
            await journal.finish(f"app-{number}", RunState.DEPLOYED, "")
        await journal.redrive("app-1", "back")
        await journal.finish("back", RunState.DEPLOYED, "")
        assert await journal.prune(Keep(seconds=YEARS, runs=0)) == 1
        assert ids(await journal.recent(9)) == ["back", "app-2"]
        assert (await version(journal, 3, key="release:2")).duplicates == ("app-2",)
        assert (await accept(journal, 9, version="0001", key="another")).older

    with_journal(main)


def test_a_redelivery_of_what_was_repeated_is_a_duplicate(with_journal: With) -> None:
    async def main(journal: Journal) -> None:
        await accept(journal, 1, key="k")
        await journal.finish("app-1", RunState.FAILED, "no")
        await journal.redrive("app-1", "again")
        assert (await accept(journal, 2, key="k")).duplicates == ("again",)
        await journal.finish("again", RunState.FAILED, "no")
        assert ids((await accept(journal, 3, key="k")).runs) == ["app-3"]

    with_journal(main)


def test_a_long_past_is_forgotten_in_pieces(with_journal: With, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("duct_tape.journal.pruning.CHUNK", 3)

    async def main(journal: Journal) -> None:
        for number in range(10):
            await accept(journal, number)
            await journal.finish(f"app-{number}", RunState.FAILED, "")
        assert await journal.prune(Keep(seconds=YEARS, runs=2)) == 8
        assert ids(await journal.recent(9)) == ["app-9", "app-8"]

    with_journal(main)


def test_the_totals_are_what_is_there(with_journal: With) -> None:
    async def main(journal: Journal) -> None:
        await history(journal)
        await journal.redrive("app-1", "again")
        await journal.prune(Keep(seconds=YEARS, runs=2))
        found = await journal.recent(99)
        assert await journal.counts() == {
            str(state): number for state in RunState if (number := sum(run.state is state for run in found))
        }

    with_journal(main)
