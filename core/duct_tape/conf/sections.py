"""All configuration classes that there are: the core's and those of the installed plugins."""

from __future__ import annotations

from typing import Any

from attrs import Factory, define, fields

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
    found = Sections(core={field.name: core_class(field.type) for field in fields(CoreConf)})
    registry = Registry()
    for name, plugins in installed().items():
        instance = registry.enable(PluginTable(instance=name, plugin=name, data={}), plugins[0])
        found.plugins[name] = registry.call(instance, "ducttape_config_class", None)
        # Actions are asked for without a context: their settings do not depend on an instance.
        actions: Any = registry.call(instance, "ducttape_actions", {})
        found.actions.update({name: action.settings for name, action in actions.items()})
    return found


def core_class(kind: Any) -> type:
    """The attrs class of a core section, also where the section is optional."""
    from duct_tape.conf import model

    name = str(kind).removesuffix(" | None")
    cls: type = getattr(model, name)
    return cls
