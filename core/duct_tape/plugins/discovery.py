"""Which plugins are installed, by the metadata of their distributions; nothing is imported."""

from __future__ import annotations

from importlib import metadata
from types import ModuleType
from typing import Any

from attrs import field, frozen

GROUP = "duct_tape.plugins"


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
    for entry in sorted(metadata.entry_points(group=GROUP), key=lambda entry: entry.name):
        plugin = InstalledPlugin(
            name=entry.name,
            distribution=_metadata(entry, "Name"),
            version=_metadata(entry, "Version"),
            target=entry.value,
            load=entry.load,
        )
        # An editable install next to a wheel lists the same entry point twice.
        if plugin not in found.setdefault(entry.name, []):
            found[entry.name].append(plugin)
    # The file system's order is not one.
    return {name: sorted(plugins, key=lambda plugin: plugin.origin) for name, plugins in found.items()}


def _metadata(entry: metadata.EntryPoint, key: str) -> str:
    # What an uninstallation left behind may have entry points and no name.
    found = entry.dist.metadata if entry.dist else None
    return found[key] if found is not None and key in found else "unknown"


def from_object(name: str, plugin: Any) -> InstalledPlugin:
    """A plugin that is no entry point: the test kit's way in."""
    target = plugin.__name__ if isinstance(plugin, ModuleType) else type(plugin).__module__
    return InstalledPlugin(name=name, distribution="object", version="0", target=target, load=lambda: plugin)
