"""One configured instance of a plugin and where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import define, field
from starlette.routing import Route

from duct_tape import deprecations
from duct_tape.conf.model import PluginTable
from duct_tape.context import Context
from duct_tape.plugins.discovery import InstalledPlugin

if TYPE_CHECKING:
    from duct_tape.plugins.allowed import Allowed


@define(eq=False)
class Instance:
    """An enabled plugin under one name.

    :param hooks: the hooks that it implements, and the arguments that it takes of each.
    :param import_seconds: how long its import took.
    :param allowed: from where it takes requests; None for everywhere.
    :param failures: how often a hook failed since the start without switching the plugin off.
    :param last_failure: at what and why it last did, or an empty string.
    :param failed_stage: what it was doing when it was switched off, or an empty string.
    :param failure: why it is off, or an empty string while it is on.
    """

    table: PluginTable
    installed: InstalledPlugin
    module: Any = field(default=None, repr=False)
    hooks: Mapping[str, tuple[str, ...]] = field(factory=dict)
    import_seconds: float = 0.0
    config: Any = field(default=None, repr=False)
    context: Context | None = field(default=None, repr=False)
    routes: tuple[Route, ...] = ()
    allowed: Allowed | None = field(default=None, repr=False)
    failures: int = 0
    last_failure: str = ""
    failed_stage: str = ""
    failure: str = ""

    @property
    def name(self) -> str:
        return self.table.instance

    @property
    def prefix(self) -> str:
        return f"/integrations/{self.name}"

    @property
    def on(self) -> bool:
        return not self.failure

    @property
    def deprecations(self) -> tuple[str, ...]:
        """What the plugin uses that will go, each a sentence with what to use instead."""
        found = deprecations.uses(self.installed.target, self.hooks)
        return tuple(f"plugin {self.name} ({self.installed.origin}) uses {what}" for what in found)

    def count(self, stage: str, failure: object) -> None:
        """Count a failure that the plugin survives."""
        self.failures += 1
        self.last_failure = f"{stage}: {failure}"

    def status(self) -> dict[str, Any]:
        """The row for ``duct-tape plugins`` and the admin socket."""
        return {
            "instance": self.name,
            "plugin": self.installed.name,
            "distribution": self.installed.distribution,
            "version": self.installed.version,
            "enabled": True,
            "hooks": list(self.hooks),
            "import_ms": round(self.import_seconds * 1000, 1),
            "failures": self.failures,
            "last_failure": self.last_failure or None,
            "deprecations": list(self.deprecations),
            "error": f"{self.failed_stage}: {self.failure}" if self.failure else None,
        }
