"""All configuration classes that there are: the core's and those of the installed plugins."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

from attrs import Factory, define, has

from duct_tape.conf.model import CoreConf, PluginTable
from duct_tape.plugins.discovery import installed
from duct_tape.plugins.registry import Registry


@define
class Sections:
    """Classes by section.

    :param core: of ``[server]``, ``[volume]``, …
    :param plugins: of ``[plugins.<name>]``; None for a plugin without one.
    :param actions: of the triggers with ``action = <name>``.
    """

    core: dict[str, type] = Factory(dict)
    plugins: dict[str, type | None] = Factory(dict)
    actions: dict[str, type] = Factory(dict)


def sections() -> Sections:
    """The classes of the core and of every installed plugin that can be imported."""
    found = Sections(core=core_classes())
    registry = Registry()
    for name, plugins in installed().items():
        instance = registry.enable(PluginTable(instance=name, plugin=name, data={}), plugins[0])
        found.plugins[name] = registry.call(instance, "ducttape_config_class", None)
        # Actions are asked for without a context: their settings do not depend on an instance.
        actions: Any = registry.call(instance, "ducttape_actions", {})
        found.actions.update({name: action.settings for name, action in actions.items()})
    return found


def core_classes() -> dict[str, type]:
    """The attrs class of each core section, also where the section is optional."""
    hints = get_type_hints(CoreConf)
    return {name: next(cls for cls in (get_args(kind) or (kind,)) if has(cls)) for name, kind in hints.items()}
