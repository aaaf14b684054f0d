"""What a plugin's hooks are given."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from attrs import field, frozen

from duct_tape.delivery import PlannedRun, Runs
from duct_tape.errors import UnavailableError
from duct_tape.events import Event
from duct_tape.journal import Acceptance
from duct_tape.plugins.watch import OF_PLUGIN
from duct_tape.runs import Run, RunState
from duct_tape.volume import Volume


class Host(Protocol):
    """What the running server does for its plugins."""

    async def deliver(self, instance: str, event: Event, decision: Runs, *, again: bool) -> Acceptance: ...

    async def recent(self, limit: int, application: str | None, state: RunState | None) -> list[Run]: ...


@frozen(kw_only=True, eq=False)
class Context:
    """One instance of a plugin.

    :param name: the instance's name: its key under ``[plugins]`` and the end of its URL.
    :param plugin: the plugin's entry-point name.
    :param prefix: where the instance's routes are mounted, such as ``/integrations/github``.
    :param config: the instance of the plugin's configuration class, or None without one.
    :param log: the instance's logger.
    :param volume: the shared volume.
    :param url: the address under which this server is reached from this machine, without a path.
    :param public_url: the address under which senders reach it, if the operator has told it.
    :param allow_from: from where alone the instance takes requests, as written; empty for everywhere.
    :param remembered: seconds for which the journal keeps a run that has ended, unless there are too many.
    :param preview: what a planned run would do for an event, without doing it. Raises ``PermanentError``
        where it could not be done.
    :param host: the running server, or None.
    """

    name: str
    plugin: str
    prefix: str
    config: Any = field(repr=False)
    log: logging.Logger
    volume: Volume
    url: str
    public_url: str | None = None
    allow_from: tuple[str, ...] = ()
    remembered: float = math.inf
    preview: Callable[[PlannedRun, Event], Mapping[str, str]] = field(repr=False)
    host: Callable[[], Host | None] = field(repr=False, default=lambda: None)

    async def deliver(self, event: Event, decision: Runs, *, again: bool = False) -> Acceptance:
        """Hand in an event that came another way than to the instance's URL, such as by asking the sender.

        It takes the way of a delivery: what is known already makes no second run, and on return the runs are on disk.

        :param again: whether a run of the same event that failed before is repeated, as after a redelivery.
        :raises UnavailableError: nothing can be accepted at the moment, or the server is not running.
        """
        # What the server does from here on is its own business, and not the plugin's code.
        token = OF_PLUGIN.set(False)
        try:
            return await self._running().deliver(self.name, event, decision, again=again)
        finally:
            OF_PLUGIN.reset(token)

    async def recent(self, limit: int, application: str | None = None, state: RunState | None = None) -> list[Run]:
        """The latest runs of all integrations, newest first.

        :raises UnavailableError: the journal cannot be read, or the server is not running.
        """
        return await self._running().recent(limit, application, state)

    def _running(self) -> Host:
        host = self.host()
        if host is None:
            raise UnavailableError("the server is not running: this works from its start to its end only")
        return host
