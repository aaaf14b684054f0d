"""Upkeep: what is done now and then while the server runs."""

from __future__ import annotations

import asyncio
import logging

from duct_tape.conf.model import DAY, JournalConf
from duct_tape.errors import JournalError
from duct_tape.journal import Journal, Keep

log = logging.getLogger("duct_tape.upkeep")

SECONDS = 3600.0


async def upkeep(journal: Journal, conf: JournalConf, seconds: float = SECONDS) -> None:
    """Forget what need not be kept, at once and then every hour, until cancelled."""
    keep = Keep(seconds=conf.keep_days * DAY, runs=conf.keep_runs)
    while True:
        try:
            if pruned := await journal.prune(keep):
                log.info("forgot %d runs that were older than %d days or beyond %d", pruned, conf.keep_days, keep.runs)
        except JournalError as error:
            log.error("%s", error)
        await asyncio.sleep(seconds)
