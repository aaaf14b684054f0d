"""Upkeep: the past is forgotten, now and then, whatever the journal says."""

from __future__ import annotations

import asyncio

import pytest
from tests.journal_support import With, accept, ids

from duct_tape.api import RunState
from duct_tape.conf.model import JournalConf
from duct_tape.conf.options import Size
from duct_tape.errors import JournalError
from duct_tape.journal import Journal, Keep
from duct_tape.upkeep import upkeep


def test_what_is_beyond_the_configured_number_is_forgotten_and_told(
    with_journal: With, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")

    async def main(journal: Journal) -> None:
        asked, original = 0, journal.prune

        async def prune(keep: Keep) -> int:
            nonlocal asked
            asked += 1
            if asked == 1:
                raise JournalError("the disk is full")
            if asked == 4:
                done.set()
            return await original(keep)

        done = asyncio.Event()
        vars(journal)["prune"] = prune
        for number in range(3):
            await accept(journal, number)
            await journal.finish(f"app-{number}", RunState.FAILED, "")
        conf = JournalConf(keep_runs=Size(1), keep_days=Size(7))
        tidying = asyncio.create_task(upkeep(journal, conf, 0.0))
        async with asyncio.timeout(10):
            await done.wait()
        tidying.cancel()
        assert ids(await journal.recent(9)) == ["app-2"]

    with_journal(main)
    assert caplog.messages == ["the disk is full", "forgot 2 runs that were older than 7 days or beyond 1"]
