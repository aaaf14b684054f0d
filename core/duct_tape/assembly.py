"""Putting the house together: configuration, plugins, actions, triggers, routes.

``serve``, ``check``, ``simulate`` and ``plugins`` all work on the same assembly, so that what one of them
says of a configuration holds for the others.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
from attrs import Factory, define

from duct_tape.conf.load import load
from duct_tape.conf.model import DAY, Configuration, PluginTable, TriggerTable
from duct_tape.conf.sources import Sources, read, undotted
from duct_tape.conf.structure import Reader
from duct_tape.context import Context, Host
from duct_tape.delivery import PlannedRun
from duct_tape.errors import ConfigurationError, PermanentError, Problem
from duct_tape.events import Event
from duct_tape.plugins.actions import Actions, collect
from duct_tape.plugins.allowed import allow
from duct_tape.plugins.discovery import InstalledPlugin, from_object, installed
from duct_tape.plugins.instance import Instance
from duct_tape.plugins.isolation import PluginFailure
from duct_tape.plugins.mounts import checked_routes
from duct_tape.plugins.registry import Registry, check_config_class, unknown_plugin
from duct_tape.runs import Run
from duct_tape.triggers import Trigger
from duct_tape.volume import Volume


@define(eq=False)
class Assembly:
    """A configuration with its plugins loaded.

    :param triggers: those whose action and settings are known.
    :param problems: everything that is wrong with the configuration.
    :param previewed: the planned runs that a check has tried, with the instance and the repository.
    :param checking: whether every problem is told anyway, so that a run by a trigger that is wrong itself, or whose
        plugin is off, needs no word of its own.
    :param host: the running server.
    """

    configuration: Configuration
    registry: Registry
    volume: Volume
    triggers: dict[str, Trigger] = Factory(dict)
    problems: list[Problem] = Factory(list)
    previewed: list[tuple[str, str, PlannedRun]] = Factory(list)
    checking: bool = False
    host: Host | None = None

    def require(self) -> Assembly:
        """The assembly itself, if its configuration is right.

        :raises ConfigurationError: it is not.
        """
        if self.problems:
            raise ConfigurationError(self.problems)
        return self

    def instance(self, name: str) -> Instance | None:
        """The instance of that name."""
        return next((instance for instance in self.registry if instance.name == name), None)

    def is_off(self, trigger: str) -> bool:
        """Whether the plugin behind a trigger of the configuration is off."""
        if trigger not in self.triggers:
            return any(table.name == trigger for table in self.configuration.triggers)
        owner = self.instance(self.triggers[trigger].plugin)
        return owner is None or not owner.on

    def preview(self, instance: str, planned: PlannedRun, event: Event) -> Mapping[str, str]:
        """What a planned run would do.

        :raises PermanentError: it could not do it.
        """
        if self.checking:
            self.previewed.append((instance, event.repository, planned))
        if planned.trigger not in self.triggers:
            if self.checking and planned.trigger in self.configuration.trigger_names:
                return {}
            raise PermanentError(f"the trigger `{planned.trigger}` cannot be used")
        try:
            return self.triggers[planned.trigger].preview(new_run(instance, planned, event))
        except PermanentError:
            raise
        except (Exception, SystemExit) as error:
            raise PermanentError(f"the action's preview failed ({type(error).__name__}: {error})") from error


def new_run_id() -> str:
    """An id that sorts by time."""
    # No secret, so it need not ask the kernel: that lets go of the interpreter, for every delivery.
    return f"{int(time.time() * 1000):012x}{random.getrandbits(32):08x}"


def new_run(instance: str, planned: PlannedRun, event: Event) -> Run:
    """A run for a plan, with an id of its own that sorts by time."""
    now = time.time()
    return Run(
        id=new_run_id(),
        instance=instance,
        application=planned.application,
        trigger=planned.trigger,
        event=event,
        vars=planned.vars,
        created_at=now,
    )


def assemble(path: Path | None = None, plugins: Mapping[str, Any] | None = None) -> Assembly:
    """Read the configuration and load its plugins.

    :param path: the main file; see ``duct_tape.conf.sources.read``.
    :param plugins: objects to offer as plugins beside the installed ones.
    :raises ConfigurationError: there is no configuration file.
    """
    return assemble_sources(read(path), plugins)


def assemble_sources(sources: Sources, plugins: Mapping[str, Any] | None = None) -> Assembly:
    """The same for files that are read already."""
    configuration, problems = load(sources)
    assembly = Assembly(configuration, Registry(), Volume(configuration.core.volume.path.absolute()), problems=problems)
    available = _available(plugins or {})
    for table in configuration.plugins:
        _enable(assembly, table, available)
    for instance in assembly.registry:
        _set_up(assembly.registry, instance)
    actions = collect(assembly.registry)
    for trigger in configuration.triggers:
        _add_trigger(assembly, trigger, actions)
    for instance in assembly.registry:
        routes = assembly.registry.call(instance, "ducttape_routes", ())
        instance.routes = assembly.registry.guard(instance, "routes", lambda: checked_routes(routes)) or ()  # noqa: B023
        if instance.on:
            # What a plugin that is off would call a name is not known.
            assembly.problems += [_in_file(problem, sources) for problem in allow(instance)]
    return assembly


def _in_file(problem: Problem, sources: Sources) -> Problem:
    return attrs.evolve(problem, file=sources.file(undotted(problem.path)))


def _available(plugins: Mapping[str, Any]) -> dict[str, list[InstalledPlugin]]:
    return {**installed(), **{name: [from_object(name, plugin)] for name, plugin in plugins.items()}}


def _enable(assembly: Assembly, table: PluginTable, available: Mapping[str, Sequence[InstalledPlugin]]) -> None:
    sources = assembly.configuration.sources
    path = ("plugins", table.instance)
    found = available.get(table.plugin, [])
    if not found:
        message, hint = unknown_plugin(table.plugin, available)
        assembly.problems.append(sources.problem(message, path, hint))
        return
    if len(found) > 1:
        origins = " and ".join(plugin.origin for plugin in found)
        message = f"two plugins are called `{table.plugin}`: {origins},"
        assembly.problems.append(sources.problem(message, path, "uninstall one of them"))
        return
    instance = assembly.registry.enable(table, found[0])
    _configure(assembly, instance)


def _configure(assembly: Assembly, instance: Instance) -> None:
    registry, core = assembly.registry, assembly.configuration.core
    cls = registry.call(instance, "ducttape_config_class", None)
    if cls is not None:
        registry.guard(instance, "config_class", lambda: check_config_class(cls))
    if not instance.on:
        return
    reader = Reader(assembly.configuration.sources, assembly.configuration.trigger_names)
    # The class may run code of the plugin's: validators and converters.
    path = ("plugins", instance.name)
    structured = registry.guard(
        instance, "config", lambda: reader.read(cls or _NoConfiguration, instance.table.data, path)
    )
    if structured is None:
        return
    config, problems = structured
    if problems:
        assembly.problems += problems
        # Off without a log line: the problems say it, and nothing starts.
        instance.failed_stage, instance.failure = "config", "its configuration is wrong"
        return
    instance.config = config
    instance.context = Context(
        name=instance.name,
        plugin=instance.installed.name,
        prefix=instance.prefix,
        config=config if cls else None,
        log=logging.getLogger(instance.name),
        volume=assembly.volume,
        url=local_url(core.server.bind),
        public_url=core.server.public_url,
        allow_from=instance.table.allow_from or (),
        remembered=core.journal.keep_days * DAY,
        preview=lambda planned, event: assembly.preview(instance.name, planned, event),
        host=lambda: assembly.host,
    )


def _set_up(registry: Registry, instance: Instance) -> None:
    # With a `yield` in it the function is a generator, of which nothing was carried out.
    if (returned := registry.call(instance, "ducttape_setup", None)) is not None:
        text = f"ducttape_setup must return nothing, and not {type(returned).__name__}"
        registry.switch_off(instance, "setup", PluginFailure(text, unexpected=False))


def local_url(bind: Sequence[str]) -> str:
    """The address under which this machine reaches the first TCP socket."""
    tcp = [address for address in bind if not address.startswith("unix:")]
    host, _, port = (tcp[0] if tcp else "127.0.0.1:9000").rpartition(":")
    return f"http://{ {'0.0.0.0': '127.0.0.1', '[::]': '[::1]'}.get(host, host) }:{port}"  # noqa: S104


def _add_trigger(assembly: Assembly, table: TriggerTable, actions: Actions) -> None:
    sources, path = assembly.configuration.sources, ("triggers", table.name)
    found = actions.find(table.action)
    if found is None:
        # An action of a plugin that is off is not the configuration's fault.
        if unknown := actions.unknown(table.action):
            assembly.problems.append(sources.problem(unknown[0], (*path, "action"), unknown[1]))
        return
    instance, action = found
    if not instance.on:
        return
    # The class may run code of the plugin's: validators and converters.
    structured = assembly.registry.guard(
        instance, "actions", lambda: Reader(sources).read(action.settings, table.data, path)
    )
    if structured is None:
        return
    settings, problems = structured
    assembly.problems += problems
    if settings is not None:
        assembly.triggers[table.name] = Trigger(
            name=table.name, action_name=table.action, plugin=instance.name, action=action, settings=settings
        )


@define
class _NoConfiguration:
    """The table of a plugin without a configuration class: nothing may be in it."""
