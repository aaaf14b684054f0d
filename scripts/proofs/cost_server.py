"""``duct-tape serve`` for ``prove cost``, on one core, with its journal or without it.

Without it the same runs are carried out in the same order, and nothing of them is kept. That is no way to run a server.
It also offers the action `nothing`, which leaves no flag.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from duct_tape import logs
from duct_tape.api import Action, Context, Outcome, hookimpl
from duct_tape.assembly import assemble_sources
from duct_tape.conf.model import JournalConf
from duct_tape.conf.sources import read
from duct_tape.delivery import Runs
from duct_tape.events import Event
from duct_tape.journal import Acceptance, Lease
from duct_tape.journal.sqlite import SQLiteJournal
from duct_tape.results import Result
from duct_tape.runs import Run, RunState
from duct_tape.web import serve


class Forgetful(SQLiteJournal):
    """A journal whose queue is in memory: of each application one run at work, and the newest one waiting."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._waiting: dict[str, Run | None] = {}
        self._applications: dict[str, str] = {}

    async def accept(
        self, event: Event, decision: Runs, runs: Sequence[Run], *, again: bool = True, lease: Lease | None = None
    ) -> Acceptance:
        claimed, superseded = [], []
        for run in runs:
            self._applications[run.id] = run.application
            if run.application not in self._waiting:
                self._waiting[run.application] = None
                claimed.append(run)
                continue
            if older := self._waiting[run.application]:
                superseded.append(older)
                del self._applications[older.id]
            self._waiting[run.application] = run
        return Acceptance(runs=tuple(runs), superseded=tuple(superseded), claimed=tuple(claimed))

    async def claim(self, lease: Lease, application: str | None = None) -> list[Run]:
        if application is None:
            return []
        if run := self._waiting.pop(application, None):
            self._waiting[application] = None
        return [run] if run else []

    async def finish(
        self,
        run: str,
        state: RunState,
        detail: str,
        supersedes: Sequence[str] = (),
        lease: Lease | None = None,
        result: Result | None = None,
    ) -> list[Run]:
        return await self.claim(lease, self._applications.pop(run)) if lease else []


@frozen
class Nothing:
    """An action without settings, and with nothing to do; a plugin of its own."""

    DUCT_TAPE_API = (1, 0)

    @hookimpl
    def ducttape_actions(self, ctx: Context) -> Mapping[str, Action[Any]]:
        return {"nothing": Action(settings=NoSettings, perform=perform, preview=lambda run, settings: {})}


@frozen
class NoSettings:
    """The keys of the trigger."""


async def perform(run: Run, settings: NoSettings) -> Outcome:
    return Outcome()


def forgetful(conf: JournalConf, *, exclusive: bool = True) -> SQLiteJournal:
    return Forgetful(conf.path)


def main() -> None:
    kind, core, path = sys.argv[1:]
    os.sched_setaffinity(0, {int(core)})
    if kind == "without":
        serve.open_journal = forgetful  # type: ignore[attr-defined]
    logs.configure("warning", "text")
    serve.serve(assemble_sources(read(Path(path)), {"nothing": Nothing()}).require())


if __name__ == "__main__":
    main()
