"""The enabled instances, and the calls of their hooks.

pluggy neither isolates nor attributes nor awaits, so every hook is called for one plugin at a time; then
each result and each exception has an owner.
"""

from __future__ import annotations

import difflib
import inspect
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import attrs
import pluggy

from duct_tape.conf.model import PluginTable
from duct_tape.hookspecs import API_VERSION, HOOKS, NAMESPACE, PREFIX, HookSpecs
from duct_tape.plugins.discovery import InstalledPlugin
from duct_tape.plugins.instance import Instance
from duct_tape.plugins.isolation import HOOK_SECONDS, PluginFailure, call

T = TypeVar("T")
log = logging.getLogger("duct_tape.plugins")


class Registry:
    """The plugins of one server.

    :param seconds: how long a plugin's import or hook may take.
    """

    def __init__(self, seconds: float = HOOK_SECONDS) -> None:
        self.seconds = seconds
        # One for each plugin: pluggy looks at the attributes of all of its plugins, and one may raise at that.
        self._managers: dict[str, pluggy.PluginManager] = {}
        self.instances: list[Instance] = []

    def __iter__(self) -> Iterator[Instance]:
        return iter(self.instances)

    def enable(self, table: PluginTable, installed: InstalledPlugin) -> Instance:
        """Import the plugin and register it; a failure is noted in the instance."""
        instance = Instance(table=table, installed=installed)
        first = next((other for other in self.instances if other.installed.name == installed.name), None)
        self.instances.append(instance)
        if first is not None:
            self._share(first, instance)
            return instance
        began = time.perf_counter()
        instance.module = self.guard(instance, "import", lambda: _load(installed))
        instance.import_seconds = time.perf_counter() - began
        if instance.on:
            instance.hooks = self.guard(instance, "register", lambda: self._register(instance)) or {}
        for sentence in instance.deprecations:
            log.warning("%s", sentence)
        return instance

    def _share(self, first: Instance, instance: Instance) -> None:
        """Let the instance begin as the plugin's first one did, without another import that may hang as well."""
        instance.module, instance.hooks = first.module, first.hooks
        if first.failed_stage in ("import", "register"):
            self.switch_off(instance, first.failed_stage, PluginFailure(first.failure, unexpected=False))

    def deprecations(self) -> list[str]:
        """What each plugin uses that will go, told of its first instance."""
        plugins = {instance.installed.name: instance for instance in reversed(self.instances)}
        return [
            sentence
            for instance in self.instances
            if plugins[instance.installed.name] is instance
            for sentence in instance.deprecations
        ]

    def guard(self, instance: Instance, stage: str, function: Callable[[], T]) -> T | None:
        """The function's result; if it fails, the instance is switched off and None is returned."""
        try:
            return call(function, self.seconds)
        except PluginFailure as failure:
            self.switch_off(instance, stage, failure)
            return None

    def switch_off(self, instance: Instance, stage: str, failure: PluginFailure) -> None:
        """Note why the instance is off, with one log line that says who, when and why."""
        instance.failed_stage, instance.failure = stage, str(failure)
        log.error(
            "plugin %s (%s) is off: %s: %s", instance.name, instance.installed.origin, stage, failure,
            exc_info=failure.__cause__ if failure.unexpected and log.isEnabledFor(logging.DEBUG) else None,
        )  # fmt: skip

    def hook(self, instance: Instance, name: str, **arguments: Any) -> Callable[[], Any] | None:
        """The instance's implementation of a hook, ready to be called, or None when it has none."""
        if not instance.on or name not in instance.hooks:
            return None
        caller = getattr(self._managers[instance.installed.name].hook, name)
        if name != "ducttape_config_class":
            arguments["ctx"] = instance.context

        def one() -> Any:
            result = caller(**arguments)
            return (result[0] if result else None) if isinstance(result, list) else result

        return one

    def call(self, instance: Instance, name: str, default: T, **arguments: Any) -> T:
        """What the hook returns; ``default`` if there is none, if it returns None, or if it fails.

        A failure switches the instance off.
        """
        function = self.hook(instance, name, **arguments)
        result = self.guard(instance, name.removeprefix(PREFIX), function) if function else None
        return default if result is None else result

    def _register(self, instance: Instance) -> Mapping[str, tuple[str, ...]]:
        _check_module(instance.module)
        manager = pluggy.PluginManager(NAMESPACE)
        manager.add_hookspecs(HookSpecs)
        try:
            manager.register(instance.module, instance.installed.name)
        except pluggy.PluginValidationError as error:
            # The first line names the hook and the last the arguments; between them is the module's path.
            lines = str(error).splitlines()
            raise PluginFailure(f"{lines[0]}: {lines[-1]}", unexpected=False) from None
        self._managers[instance.installed.name] = manager
        implemented = {hook: getattr(manager.hook, hook).get_hookimpls() for hook in HOOKS}
        return {hook: tuple(impls[0].argnames) for hook, impls in implemented.items() if impls}


def _load(installed: InstalledPlugin) -> Any:
    try:
        return installed.load()
    except ImportError as error:
        if error.name != "duct_tape.api":
            raise
        # Before its version can be read: a plugin for a newer API imports what this one does not have.
        text = str(error).partition(" (")[0]
        offered = ".".join(map(str, API_VERSION))
        hint = "upgrade duct-tape-core or the plugin"
        raise PluginFailure(f"{text}, and this Duct Tape offers {offered}; {hint}", unexpected=False) from None


def unknown_plugin(name: str, installed: Mapping[str, Sequence[InstalledPlugin]]) -> tuple[str, str]:
    """Message and hint for a plugin name that nothing installed has."""
    near = difflib.get_close_matches(name, installed, n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"installed: {', '.join(installed) or 'none'}"
    return f"no plugin `{name}` is installed,", hint


def _check_module(module: Any) -> None:
    check_object(module)
    check_api(getattr(module, "DUCT_TAPE_API", None))
    for name in dir(module):
        if name.startswith(PREFIX):
            check_hook(name, getattr(module, name))


def check_object(module: Any) -> None:
    """Refuse what pluggy would take, and then fail on.

    :raises PluginFailure: it is a class, or cannot be told from others.
    """
    if isinstance(module, type):
        raise PluginFailure("the entry point is a class; it must be a module or an object", unexpected=False)
    if type(module).__hash__ is None:
        raise PluginFailure("the plugin object is not hashable: give its class eq=False", unexpected=False)


def check_api(version: Any) -> None:
    """Refuse a plugin that was written for another API.

    :param version: its ``DUCT_TAPE_API``, or None.
    :raises PluginFailure: this Duct Tape does not offer that version.
    """
    ours = ".".join(map(str, API_VERSION))
    if version is None:
        text = f"it does not say for which API it was written; add DUCT_TAPE_API = {API_VERSION}"
        raise PluginFailure(text, unexpected=False)
    if not (isinstance(version, tuple) and len(version) == 2 and all(type(part) is int for part in version)):
        text = f"its DUCT_TAPE_API is no pair of numbers; write DUCT_TAPE_API = {API_VERSION}"
        raise PluginFailure(text, unexpected=False)
    if version[0] != API_VERSION[0] or version > API_VERSION:
        theirs = ".".join(map(str, version))
        text = f"it was written for API {theirs}, and this Duct Tape offers {ours}; "
        newer = "upgrade duct-tape-core" if version > API_VERSION else "upgrade the plugin"
        raise PluginFailure(text + newer, unexpected=False)


def check_hook(name: str, function: Any) -> None:
    """Refuse what looks like a hook and would never be called, or not be awaited.

    :raises PluginFailure: there is no such hook, it is not marked, or it is async where the hook is not.
    """
    if name not in HOOKS:
        # Without the prefix, which alone would make any name resemble any other.
        near = difflib.get_close_matches(name.removeprefix(PREFIX), [hook.removeprefix(PREFIX) for hook in HOOKS], n=1)
        hint = f"did you mean `{PREFIX}{near[0]}`?" if near else f"hooks: {', '.join(HOOKS)}"
        raise PluginFailure(f"there is no hook `{name}`; {hint}", unexpected=False)
    if not hasattr(function, f"{NAMESPACE}_impl"):
        raise PluginFailure(f"`{name}` is not marked with @hookimpl", unexpected=False)
    # pluggy looks at names only, and a coroutine that nobody awaits would be taken for an answer.
    wanted = inspect.iscoroutinefunction(getattr(HookSpecs, name))
    if inspect.iscoroutinefunction(function) != wanted:
        raise PluginFailure(f"`{name}` must {'' if wanted else 'not '}be async", unexpected=False)


def check_config_class(cls: Any) -> None:
    """Refuse what cannot be a configuration class.

    :raises PluginFailure: it is not an attrs class.
    """
    if not (isinstance(cls, type) and attrs.has(cls)):
        raise PluginFailure("ducttape_config_class must return an attrs class", unexpected=False)
