"""A dispatcher over a journal in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.server_support import FakeJournal, Recorder

from duct_tape.api import Run
from duct_tape.assembly import Assembly, assemble
from duct_tape.dispatch import Dispatcher, Retry
from duct_tape.observers import Observers

AT_ONCE = Retry(attempts=3, base=0.0)
DEPLOY = '[triggers.deploy]\naction = "record"\n[plugins.recorder]'


Check = Callable[[Dispatcher], Awaitable[None]]


@pytest.fixture
def dispatch(tmp_path: Path) -> Callable[..., Assembly]:
    """Runs a function with a dispatcher."""

    def started(recorder: Recorder, journal: FakeJournal, check: Check, retry: Retry = AT_ONCE) -> Assembly:
        path = tmp_path / "duct_tape.toml"
        path.write_text(DEPLOY)
        assembly = assemble(path, {"recorder": recorder.module})

        async def main() -> None:
            found: Any = journal
            await check(Dispatcher(assembly, found, Observers(assembly.registry), retry))

        asyncio.run(main())
        return assembly

    return started


Start = Callable[..., Assembly]


def submitted(*runs: Run) -> Check:
    async def check(dispatcher: Dispatcher) -> None:
        dispatcher.submit(runs)
        await dispatcher.settle()

    return check
