"""Every engine: whose turn it is, who is at work, and what the action comes to."""

from __future__ import annotations

import time

import pytest
from attrs import evolve
from tests.journal_support import LEASE, With, accept, ids, states, version

from duct_tape.api import Flag, Result, RunState
from duct_tape.journal import Journal, Lease, Pause

OTHER = evolve(LEASE, holder="somebody else")
DAY = 24 * 3600.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds by which the clock is wrong."""
    wrong, original = [0.0], time.time
    monkeypatch.setattr("time.time", lambda: original() + wrong[0])
    return wrong


def test_the_first_run_of_each_lane_is_taken_up_once(with_journal: With) -> None:
    async def main(journal: Journal) -> None:
        for number in (1, 2):
            await accept(journal, number, "app", "other")
        assert ids(await journal.claim(LEASE)) == ["app-1", "other-1"]
        assert await journal.claim(LEASE) == await journal.claim(OTHER) == []
        await journal.finish("app-1", RunState.DONE, "")
        assert ids(await journal.claim(OTHER, "other")) == []
        assert ids(await journal.claim(OTHER, "app")) == ["app-2"]

    with_journal(main)


def test_what_is_claimed_comes_with_everything_that_is_known(with_journal: With) -> None:
    async def main(journal: Journal) -> None:
        accepted = await accept(journal, 1)
        (claimed,) = await journal.claim(LEASE)
        assert evolve(claimed, updated_at=0.0) == accepted.runs[0]

    with_journal(main)


def test_after_a_restart_nobody_holds_anything(with_journal: With) -> None:
    async def before(journal: Journal) -> None:
        await accept(journal, 1)
        assert ids(await journal.claim(LEASE)) == ["app-1"]

    async def beside(journal: Journal) -> None:
        assert await journal.claim(OTHER) == []

    async def after(journal: Journal) -> None:
        assert ids(await journal.claim(OTHER)) == ["app-1"]

    with_journal(before)
    with_journal(beside, server=False)
    with_journal(after)


def test_without_a_heartbeat_a_lease_ends_and_with_one_it_does_not(with_journal: With, clock: list[float]) -> None:
    async def main(journal: Journal) -> None:
        await accept(journal, 1)
        await journal.claim(LEASE)
        clock[0] = 50.0
        await journal.heartbeat(OTHER)
        await journal.heartbeat(LEASE)
        clock[0] = 100.0
        assert await journal.claim(OTHER) == []
        clock[0] = 120.0
        assert ids(await journal.claim(OTHER)) == ["app-1"]

    with_journal(main)


@pytest.mark.parametrize("jump", [DAY, -DAY])
def test_a_clock_that_jumps_takes_nothing_from_its_holder_and_ends_the_lease_for_others(
    with_journal: With, clock: list[float], jump: float
) -> None:
    async def main(journal: Journal) -> None:
        await accept(journal, 1)
        await journal.claim(LEASE)
        clock[0] = jump
        assert await journal.claim(LEASE) == []
        assert ids(await journal.claim(OTHER)) == ["app-1"]

    with_journal(main)


def test_a_failed_attempt_counts_and_has_its_time(with_journal: With, clock: list[float]) -> None:
    async def main(journal: Journal) -> None:
        for number in (1, 2):
            await accept(journal, number)
        await journal.claim(LEASE)
        failed = await journal.fail("app-1", "busy", 30.0)
        assert (failed.id, failed.attempts, failed.detail, failed.state) == ("app-1", 1, "busy", "accepted")
        assert await journal.claim(LEASE) == [], "the lane waits with it"
        clock[0] = 31.0
        assert ids(await journal.claim(LEASE)) == ["app-1"]
        await journal.finish("app-1", RunState.DONE, "at last")
        found = await journal.find("app-1")
        assert found
        assert (found.attempts, found.detail, found.state) == (2, "at last", "done")

    with_journal(main)


@pytest.mark.parametrize("jump", [DAY, -DAY])
def test_a_clock_that_jumps_does_not_lose_the_next_attempt(with_journal: With, clock: list[float], jump: float) -> None:
    async def main(journal: Journal) -> None:
        await accept(journal, 1)
        await journal.claim(LEASE)
        await journal.fail("app-1", "busy", 30.0)
        clock[0] = jump
        assert ids(await journal.claim(LEASE)) == ["app-1"]

    with_journal(main)


def test_after_a_failed_attempt_a_newer_version_takes_the_place(with_journal: With) -> None:
    async def main(journal: Journal) -> None:
        await version(journal, 1, lease=LEASE)
        assert (await version(journal, 2)).superseded == (), "who is at work is not disturbed"
        failed = await journal.fail("app-1", "busy", 30.0)
        assert (failed.state, failed.attempts) == ("superseded", 1)
        assert failed.detail == "v2 was accepted before its turn came (run app-2)"
        assert ids(await journal.claim(LEASE)) == ["app-2"]
        await journal.fail("app-2", "busy", 30.0)
        assert ids((await version(journal, 3)).superseded) == ["app-2"]

    with_journal(main)


def test_what_is_held_back_blocks_nobody_and_comes_with_the_next_start(with_journal: With, clock: list[float]) -> None:
    async def before(journal: Journal) -> None:
        for number in (1, 2):
            await accept(journal, number)
        await journal.claim(LEASE)
        await journal.hold("app-1", "its plugin is off")
        assert ids(await journal.claim(LEASE)) == ["app-2"]
        await journal.finish("app-2", RunState.DONE, "")
        clock[0] = 365 * DAY
        assert await journal.claim(LEASE) == []

    async def after(journal: Journal) -> None:
        (held,) = await journal.claim(LEASE)
        assert (held.id, held.detail, held.attempts) == ("app-1", "its plugin is off", 0)

    with_journal(before)
    with_journal(after)


def test_nothing_of_a_paused_application_is_taken_up(with_journal: With) -> None:
    pause = Pause(application="app", who="ada", reason="the database moves", since=12.5)

    async def before(journal: Journal) -> None:
        assert await journal.pauses() == []
        assert await journal.resume("app") is None
        await journal.pause(evolve(pause, reason="another"))
        await journal.pause(pause)
        assert ids((await accept(journal, 1, "app", "other", lease=LEASE)).claimed) == ["other-1"]
        assert await journal.claim(LEASE, "app") == []

    async def after(journal: Journal) -> None:
        assert await journal.pauses() == [pause]
        assert await journal.resume("app") == pause
        assert ids(await journal.claim(LEASE, "app")) == ["app-1"]

    with_journal(before)
    with_journal(after)


def test_only_what_is_accepted_can_fail_be_held_back_or_finished(with_journal: With) -> None:
    async def main(journal: Journal) -> None:
        await accept(journal, 1)
        await journal.finish("app-1", RunState.DONE, "yes")
        await journal.finish("app-1", RunState.FAILED, "no")
        await journal.hold("app-1", "no")
        assert (await journal.fail("app-1", "no", 1.0)).state is RunState.DONE
        found = await journal.find("app-1")
        assert found
        assert (found.state, found.detail, found.attempts) == ("done", "yes", 1)

    with_journal(main)


def test_superseded_are_only_runs_of_the_same_application_that_left_a_flag(with_journal: With) -> None:
    async def main(journal: Journal) -> None:
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


def test_only_what_was_accepted_is_unfinished_and_in_the_order_of_arrival(with_journal: With) -> None:
    async def main(journal: Journal) -> None:
        # The ids go down, as they do when the clock is set back between two deliveries.
        for number in (9, 8, 7, 6):
            await accept(journal, number)
        await journal.finish("app-8", RunState.DONE, "")
        assert ids(await journal.unfinished()) == ["app-9", "app-7", "app-6"]
        assert ids(await journal.recent(2)) == ["app-6", "app-7"]

    with_journal(main)


@pytest.mark.parametrize("jump", [DAY, -DAY])
def test_a_clock_that_jumps_supersedes_nothing_that_the_holder_is_at_work_on(
    with_journal: With, clock: list[float], jump: float
) -> None:
    async def main(journal: Journal) -> None:
        await version(journal, 1, lease=LEASE)
        clock[0] = jump
        second = await version(journal, 2, lease=LEASE)
        assert (second.superseded, second.claimed) == ((), ())

    with_journal(main)


def test_what_the_holder_has_and_does_not_know_of_can_be_given_back(with_journal: With) -> None:
    async def main(journal: Journal) -> None:
        await accept(journal, 1, "app", "other", lease=LEASE)
        assert await journal.held(LEASE) == ["app-1", "other-1"]
        assert await journal.held(OTHER) == []
        await journal.release(OTHER, ["app-1"])
        await journal.release(LEASE, ["other-1", "nobody"])
        assert await journal.held(LEASE) == ["app-1"]
        assert ids(await journal.claim(LEASE)) == ["other-1"]

    with_journal(main)


def test_half_a_character_in_a_sentence_is_kept_as_a_question_mark(with_journal: With) -> None:
    async def main(journal: Journal) -> None:
        for number in range(3):
            await accept(journal, number)
        assert (await journal.fail("app-0", "half \ud800", 0.0)).detail == "half ?"
        await journal.finish("app-1", RunState.FAILED, "half \ud800")
        await journal.hold("app-2", "half \ud800")
        assert {run.detail for run in await journal.recent(9)} == {"half ?"}

    with_journal(main)


def test_who_lost_his_flag_to_a_newer_one_is_told_of(with_journal: With) -> None:
    async def main(journal: Journal) -> None:
        for number in (1, 2):
            await accept(journal, number)
            await journal.finish(f"app-{number}", RunState.FLAGGED, "", [f"app-{number - 1}"])
        assert [(run.id, run.state) for run in await journal.untold()] == [("app-1", "superseded")]

    with_journal(main)


def test_a_lease_of_nobody_is_no_lease() -> None:
    assert Lease(holder="me") == LEASE


def test_what_an_action_has_to_show_is_kept_with_its_run(with_journal: With) -> None:
    result = Result.ended(Flag(run="app-1", application="app"), "failed", time.time(), exit_code=3, output="no")

    async def before(journal: Journal) -> None:
        await accept(journal, 1)
        await accept(journal, 2)
        await journal.finish("app-1", RunState.FAILED, "exit code 3", result=result)
        await journal.finish("app-2", RunState.DONE, "")

    async def after(journal: Journal) -> None:
        assert [run.result for run in await journal.recent(2)] == [None, result]

    with_journal(before)
    with_journal(after)
