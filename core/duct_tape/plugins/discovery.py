"""Which plugins are installed, by the metadata of their distributions; nothing is imported."""

from __future__ import annotations

import logging
from importlib import metadata
from types import ModuleType
from typing import Any

from attrs import field, frozen

GROUP = "duct_tape.plugins"
UNKNOWN = "unknown"

log = logging.getLogger("duct_tape.plugins")


@frozen(kw_only=True)
class InstalledPlugin:
    """One entry point of the group ``duct_tape.plugins``.

    :param name: the entry point's name, which is the plugin's name everywhere.
    :param target: the module that it points to, or that and an object in it: ``module:object``.
    """

    name: str
    distribution: str
    version: str
    target: str
    _load: Any = field(repr=False, eq=False)

    def load(self) -> Any:
        """Import the plugin."""
        return self._load()

    @property
    def origin(self) -> str:
        """Distribution and version, for messages."""
        return f"{self.distribution} {self.version}"


def installed() -> dict[str, list[InstalledPlugin]]:
    """All installed plugins by name, sorted. More than one under a name is for the caller to refuse."""
    found: dict[str, list[InstalledPlugin]] = {}
    seen: set[str] = set()
    for distribution in metadata.distributions():
        entries = _entries(distribution)
        name = _metadata(distribution, "Name") if entries else UNKNOWN
        # Of one that is there twice, such as an editable install next to a wheel, the first on the path is imported.
        if name in seen:
            continue
        seen |= {name} - {UNKNOWN}
        for entry in entries:
            plugin = InstalledPlugin(
                name=entry.name,
                distribution=name,
                version=_metadata(distribution, "Version"),
                target=entry.value,
                load=entry.load,
            )
            found.setdefault(entry.name, []).append(plugin)
    # The file system's order is not one.
    return {name: sorted(found[name], key=lambda plugin: plugin.origin) for name in sorted(found)}


def _entries(distribution: metadata.Distribution) -> list[metadata.EntryPoint]:
    try:
        return [entry for entry in distribution.entry_points if entry.group == GROUP]
    except Exception as error:
        # What an upgrade left half written is not the end of the others. `metadata.entry_points()` would raise.
        name = _metadata(distribution, "Name")
        log.warning("the entry points of %s cannot be read (%s), reinstall it", name, type(error).__name__)
        return []


def _metadata(distribution: metadata.Distribution, key: str) -> str:
    # What an uninstallation left behind may have entry points and no name.
    try:
        found = distribution.metadata
        return found[key] if found is not None and key in found else UNKNOWN
    except Exception:
        return UNKNOWN


def from_object(name: str, plugin: Any) -> InstalledPlugin:
    """A plugin that is no entry point: the test kit's way in."""
    target = plugin.__name__ if isinstance(plugin, ModuleType) else type(plugin).__module__
    return InstalledPlugin(name=name, distribution="object", version="0", target=target, load=lambda: plugin)
