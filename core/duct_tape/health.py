"""Whether everything is well, for ``/readyz`` and the admin socket."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable
from typing import Any

from duct_tape.assembly import Assembly
from duct_tape.errors import JournalError
from duct_tape.follow import Follower
from duct_tape.hookspecs import Check
from duct_tape.journal import Journal
from duct_tape.plugins.instance import Instance
from duct_tape.plugins.isolation import PluginFailure, call_threaded

SECONDS = 5.0
# /readyz is open to everybody: however often it is asked, the checks run once a second.
MAX_AGE = 1.0


class Health:
    """All checks of the core and of the plugins."""

    def __init__(self, assembly: Assembly, journal: Journal, follower: Follower | None = None) -> None:
        self._assembly = assembly
        self._follower = follower
        self._journal = journal
        self._checks: tuple[Check, ...] = ()
        self._checked_at = -MAX_AGE
        self._lock = asyncio.Lock()
        self._busy: set[str] = set()

    async def checks(self) -> tuple[Check, ...]:
        """The latest checks, at most a second old."""
        async with self._lock:
            if time.monotonic() - self._checked_at >= MAX_AGE:
                flags = self._follower.checks() if self._follower else []
                self._checks = (self._volume(), await self._store(), *flags, *await self._plugins())
                self._checked_at = time.monotonic()
        return self._checks

    async def ready(self) -> bool:
        """Whether all checks are well."""
        return all(check.healthy for check in await self.checks())

    def _volume(self) -> Check:
        # Asks the kernel only: nothing that a stranger can ask for may cost disk.
        path = self._assembly.volume.path
        writable = os.access(path, os.W_OK | os.X_OK) and path.is_dir()
        return Check(name="volume", healthy=writable, detail="" if writable else f"{path} cannot be written")

    async def _store(self) -> Check:
        try:
            await self._journal.counts()
        except JournalError as error:
            return Check(name="journal", healthy=False, detail=str(error))
        return Check(name="journal", healthy=True)

    async def _plugins(self) -> list[Check]:
        answers = await asyncio.gather(*(self._plugin(instance) for instance in self._assembly.registry))
        return [check for checks in answers for check in checks]

    async def _plugin(self, instance: Instance) -> Iterable[Check]:
        name = f"plugin {instance.name}"
        hook = self._assembly.registry.hook(instance, "ducttape_health")
        if hook is None:
            return [Check(name=name, healthy=instance.on, detail=instance.failure)]
        if name in self._busy:
            # However often it is asked, a check that hangs costs one thread.
            return [Check(name=name, healthy=False, detail="its last check has not ended yet")]

        def ask() -> tuple[Any, ...]:
            try:
                return tuple(hook() or ())
            finally:
                self._busy.discard(name)

        self._busy.add(name)
        try:
            found = await call_threaded(ask, SECONDS)
        except PluginFailure as failure:
            return [Check(name=name, healthy=False, detail=str(failure))]
        if not all(map(is_check, found)):
            return [Check(name=name, healthy=False, detail="ducttape_health must return Checks")]
        return [Check(name=name, healthy=True), *found]


def is_check(value: object) -> bool:
    """Whether a plugin returned a check that can be shown."""
    return (
        isinstance(value, Check)
        and isinstance(value.name, str)
        and isinstance(value.healthy, bool)
        and isinstance(value.detail, str)
    )
