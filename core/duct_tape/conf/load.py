"""From files to the part of the configuration that needs no plugin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from attrs import fields

from duct_tape.conf.model import Configuration, CoreConf, PluginTable, TriggerTable
from duct_tape.conf.sources import Sources
from duct_tape.conf.structure import Reader, address, described, suggestion
from duct_tape.errors import Problem

SECTIONS = (*(field.name for field in fields(CoreConf)), "triggers", "plugins")
_INSTANCE = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


def load(sources: Sources) -> tuple[Configuration, list[Problem]]:
    """Structure the core's sections and split the rest by trigger and by instance."""
    problems = list(sources.problems)
    known = {key: value for key, value in sources.data.items() if key in SECTIONS}
    for key in (key for key in sources.data if key not in SECTIONS):
        hint = suggestion(key, SECTIONS).removeprefix("; ") or f"known sections: {', '.join(SECTIONS)}"
        file = sources.file((key,))
        problems.append(Problem(message=f"unknown section `{key}`", file=file, hint=hint))
    triggers = _triggers(sources, known.pop("triggers", {}), problems)
    plugins = _plugins(sources, known.pop("plugins", {}), problems)
    core, found = Reader(sources).read(CoreConf, known, ())
    problems += [*found, *_environment_problems(core)]
    configuration = Configuration(
        sources=sources, core=core or CoreConf(), triggers=tuple(triggers), plugins=tuple(plugins)
    )
    return configuration, problems


def _environment_problems(core: CoreConf | None) -> Iterator[Problem]:
    # Addresses from a file were looked at when it was read.
    for text in core.server.bind if core else ():
        try:
            address(text)
        except ValueError as error:
            yield Problem(message=f"{error}, in the environment variable DUCT_TAPE_BIND")


def _triggers(sources: Sources, section: Any, problems: list[Problem]) -> list[TriggerTable]:
    triggers = []
    for name, table in _tables(sources, "triggers", section, problems):
        data = dict(table)
        action = data.pop("action", None)
        if isinstance(action, str):
            triggers.append(TriggerTable(name=name, action=action, data=data))
        else:
            problem = "the key `action` is missing" if action is None else "expected text as `action`"
            problems.append(sources.problem(problem, ("triggers", name), 'for instance action = "touch-file"'))
    return triggers


def _plugins(sources: Sources, section: Any, problems: list[Problem]) -> list[PluginTable]:
    plugins = []
    for instance, table in _tables(sources, "plugins", section, problems):
        data = dict(table)
        plugin = data.pop("use", instance)
        if not _INSTANCE.fullmatch(instance):
            message = f"`{instance}` cannot be the name of an instance, since it becomes part of a URL,"
            problems.append(sources.problem(message, ("plugins",), "use lower-case letters, digits and dashes"))
        elif not isinstance(plugin, str):
            problems.append(sources.problem("expected text,", ("plugins", instance, "use")))
        else:
            plugins.append(PluginTable(instance=instance, plugin=plugin, data=data))
    return plugins


def _tables(sources: Sources, section: str, value: Any, problems: list[Problem]) -> list[tuple[str, dict[str, Any]]]:
    if not isinstance(value, dict):
        problems.append(sources.problem(f"expected a table and not {described(value)},", (section,)))
        return []
    for name, table in value.items():
        if not isinstance(table, dict):
            hint = f"write [{section}.{name}]"
            problems.append(sources.problem(f"expected a table and not {described(table)},", (section, name), hint))
    return [(name, table) for name, table in value.items() if isinstance(table, dict)]
