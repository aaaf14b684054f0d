"""What a plugin's hooks are given."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from attrs import field, frozen

from duct_tape.delivery import PlannedRun
from duct_tape.events import Event
from duct_tape.volume import Volume


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
    :param preview: what a planned run would do for an event, without doing it. Raises ``PermanentError``
        where it could not be done.
    """

    name: str
    plugin: str
    prefix: str
    config: Any = field(repr=False)
    log: logging.Logger
    volume: Volume
    url: str
    preview: Callable[[PlannedRun, Event], Mapping[str, str]] = field(repr=False)
