"""From files to the part of the configuration that needs no plugin."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attrs import fields

from duct_tape.conf.model import Configuration, CoreConf, PluginTable, TriggerTable
from duct_tape.conf.sources import Sources, dotted
from duct_tape.conf.structure import Reader, address, described, suggestion
from duct_tape.errors import Problem

SECTIONS = (*(field.name for field in fields(CoreConf)), "triggers", "plugins")
INSTANCE = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


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
    problems += [*found, *_environment_problems(core), *_conflicts(sources, core)]
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


def _conflicts(sources: Sources, core: CoreConf | None) -> Iterator[Problem]:
    """What is right by itself and cannot be together: the server would not start, or start and fail."""
    if core is None:
        return
    sockets = [(text, ("server", "bind")) for text in core.server.bind]
    sockets += [(text, ("admin", "bind")) for text in (core.admin.bind if core.admin else ())]
    for number, (text, path) in enumerate(sockets):
        for other, section in sockets[:number]:
            if _overlap(text, other):
                message = f"`{text}` is taken by `{other}` of `{dotted(section)}`,"
                yield sources.problem(message, path, "give each socket a port of its own")
    journal, volume = (Path(os.path.realpath(path)) for path in (core.journal.path, core.volume.path))
    path = ("journal", "path")
    if journal == volume or volume in journal.parents:
        message = "the journal would be in the shared volume, where every file is a flag,"
        yield sources.problem(message, path, 'keep it elsewhere, for instance path = "var/journal.sqlite3"')
    elif journal.is_dir():
        yield sources.problem(f"{core.journal.path} is a folder,", path, "name a file in it")


def _overlap(one: str, other: str) -> bool:
    if one.startswith("unix:") or other.startswith("unix:"):
        return one == other
    (host, _, port), (second, _, second_port) = one.rpartition(":"), other.rpartition(":")
    # Port 0 is whichever is free, and a number may begin with zeros.
    if port.lstrip("0") != second_port.lstrip("0") or not port.lstrip("0"):
        return False
    hosts = {"127.0.0.1" if name == "localhost" else name for name in (host, second)}
    # [::] takes the addresses of both families.
    return len(hosts) == 1 or "[::]" in hosts or ("0.0.0.0" in hosts and not any("[" in name for name in hosts))  # noqa: S104


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
        allow_from = data.pop("allow_from", None)
        if not INSTANCE.fullmatch(instance):
            message = f"`{instance}` cannot be the name of an instance, since it becomes part of a URL,"
            problems.append(
                sources.problem(message, ("plugins", instance), "use lower-case letters, digits and dashes")
            )
        elif not isinstance(plugin, str):
            problems.append(sources.problem("expected text,", ("plugins", instance, "use")))
        elif not _texts(allow_from):
            hint = 'for instance allow_from = ["203.0.113.0/24"]; without the key everybody may send'
            problems.append(sources.problem("expected a list of addresses,", ("plugins", instance, "allow_from"), hint))
        else:
            allowed = tuple(allow_from) if allow_from is not None else None
            plugins.append(PluginTable(instance=instance, plugin=plugin, allow_from=allowed, data=data))
    return plugins


def _texts(value: Any) -> bool:
    return value is None or (isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value))


def _tables(sources: Sources, section: str, value: Any, problems: list[Problem]) -> list[tuple[str, dict[str, Any]]]:
    if not isinstance(value, dict):
        problems.append(sources.problem(f"expected a table and not {described(value)},", (section,)))
        return []
    for name, table in value.items():
        if not isinstance(table, dict):
            hint = f"write [{section}.{name}]"
            problems.append(sources.problem(f"expected a table and not {described(table)},", (section, name), hint))
    return [(name, table) for name, table in value.items() if isinstance(table, dict)]
