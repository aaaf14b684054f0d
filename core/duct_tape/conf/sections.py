"""All configuration classes that there are: the core's and those of the installed plugins."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

from attrs import Factory, define, has

from duct_tape.conf.model import CoreConf, PluginTable
from duct_tape.plugins.discovery import installed
from duct_tape.plugins.instance import Instance
from duct_tape.plugins.registry import Registry, check_config_class


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
        _add(found, registry, instance)
    return found


def _add(found: Sections, registry: Registry, instance: Instance) -> None:
    cls: Any = registry.call(instance, "ducttape_config_class", None)
    if cls is not None:
        registry.guard(instance, "config_class", lambda: check_config_class(cls))
    found.plugins[instance.name] = cls if instance.on else None
    # Actions are asked for without a context: their settings do not depend on an instance.
    actions: Any = registry.call(instance, "ducttape_actions", {})
    settings = registry.guard(instance, "actions", lambda: {name: item.settings for name, item in actions.items()})
    found.actions.update(settings or {})


def core_classes() -> dict[str, type]:
    """The attrs class of each core section, also where the section is optional."""
    hints = get_type_hints(CoreConf)
    return {name: next(cls for cls in (get_args(kind) or (kind,)) if has(cls)) for name, kind in hints.items()}
