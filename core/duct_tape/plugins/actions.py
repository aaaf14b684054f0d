"""The actions that plugins offer, and which of them a trigger means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import attrs
from attrs import Factory, define

from duct_tape.conf.structure import suggestion
from duct_tape.plugins.instance import Instance
from duct_tape.plugins.isolation import PluginFailure
from duct_tape.plugins.registry import Registry
from duct_tape.triggers import Action

SEPARATOR = ":"


# By the action's name, and then by the instance's.
Offered: TypeAlias = dict[str, dict[str, tuple[Instance, Action[Any]]]]


@define(eq=False)
class Actions:
    """What the instances that are on offer, by the action's name and then by the instance's.

    Several instances of one plugin offer the same. Then a trigger says which: ``instance:action``.
    """

    registry: Registry
    offered: Offered = Factory(dict)

    def find(self, text: str) -> tuple[Instance, Action[Any]] | None:
        """The action that a trigger names, if exactly one is meant."""
        owner, qualified, name = text.rpartition(SEPARATOR)
        offers = self.offered.get(name, {})
        if qualified:
            return offers.get(owner)
        return next(iter(offers.values())) if len(self._owners(name)) == 1 and offers else None

    def unknown(self, text: str) -> tuple[str, str] | None:
        """Message and hint for a name that means none; None where that is the fault of a plugin that is off."""
        owner, qualified, name = text.rpartition(SEPARATOR)
        if not qualified and self.offered.get(name):
            owners = self._owners(name)
            hint = "write " + " or ".join(f"`{owner}{SEPARATOR}{name}`" for owner in owners)
            return f"the action `{name}` is offered by {len(owners)} instances,", hint
        if any(_might_offer(instance) and (not qualified or instance.name == owner) for instance in self.registry):
            return None
        known = [one for name in self.offered for one in self._names(name)]
        near = suggestion(text, known).removeprefix("; ")
        return f"there is no action `{text}`,", near or f"enabled plugins offer: {', '.join(known) or 'none'}"

    def _names(self, name: str) -> list[str]:
        owners = self._owners(name)
        return [name] if len(owners) == 1 else [f"{owner}{SEPARATOR}{name}" for owner in owners]

    def _owners(self, name: str) -> list[str]:
        """The instances that offer the action, and those that would if they were not off."""
        offers = self.offered.get(name, {})
        plugins = {instance.installed.name for instance, _ in offers.values()}
        return [
            instance.name
            for instance in self.registry
            if instance.name in offers or (_might_offer(instance) and instance.installed.name in plugins)
        ]


def collect(registry: Registry) -> Actions:
    """Ask every instance for its actions; what cannot be used switches off the plugin that offers it."""
    actions = Actions(registry)
    for instance in registry:
        found: Any = registry.call(instance, "ducttape_actions", {})
        checked = registry.guard(
            instance,
            "actions",
            lambda: checked_actions(found, instance.installed.name, actions.offered),  # noqa: B023
        )
        for name, action in (checked or {}).items():
            actions.offered.setdefault(name, {})[instance.name] = (instance, action)
    return actions


def checked_actions(found: Any, plugin: str, offered: Offered) -> Mapping[str, Action[Any]]:
    """What a plugin's hook returned, if triggers can name it.

    :param offered: what the plugins before it offer.
    :raises PluginFailure: it is no mapping of actions, or one of the names is another plugin's.
    """
    if not isinstance(found, Mapping) or not all(isinstance(item, Action) for item in found.values()):
        raise PluginFailure("ducttape_actions must return a mapping of name to Action", unexpected=False)
    for name, action in found.items():
        if not isinstance(name, str) or not name or SEPARATOR in name:
            raise PluginFailure(f"{name!r:.80} cannot be the name of an action", unexpected=False)
        if not attrs.has(action.settings):
            raise PluginFailure(f"the settings of the action `{name}` must be an attrs class", unexpected=False)
        for owner, _ in offered.get(name, {}).values():
            if owner.installed.name != plugin:
                text = f"the action `{name}` is already offered by plugin {owner.name} ({owner.installed.origin})"
                raise PluginFailure(text, unexpected=False)
    return dict(found)


def _might_offer(instance: Instance) -> bool:
    return not instance.on and (not instance.hooks or "ducttape_actions" in instance.hooks)
