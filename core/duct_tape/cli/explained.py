"""Every setting: its value, where it comes from, and what it means."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from duct_tape.assembly import Assembly
from duct_tape.conf.model import bind_variable
from duct_tape.conf.sources import KeyPath, Sources, dotted
from duct_tape.secret import Secret
from duct_tape.templates import Template

DEFAULT = "default"
USE = "The plugin, where the instance has another name."
ALLOW_FROM = "The only addresses and networks from which requests are taken."
ABSENT = "A section that is not there."
ACTION = "What the trigger does."


@attrs.frozen(kw_only=True)
class Setting:
    """One key of the configuration.

    :param key: its path, as TOML spells it.
    :param value: as TOML would write it; of a secret only where it is.
    :param source: a file, an environment variable, or ``default``.
    :param meaning: what the reference page says of it.
    """

    key: str
    value: str
    source: str
    meaning: str


def settings(assembly: Assembly, environ: Mapping[str, str] = os.environ) -> list[Setting]:
    """All settings of a configuration without problems, in the order of the reference page."""
    sources = assembly.configuration.sources
    found = list(_class(sources, assembly.configuration.core, ()))
    for trigger in assembly.triggers.values():
        path: KeyPath = ("triggers", trigger.name)
        found.append(_setting(sources, (*path, "action"), trigger.action_name, ACTION))
        found += _class(sources, trigger.settings, path)
    for instance in assembly.registry:
        path = ("plugins", instance.name)
        found.append(_setting(sources, (*path, "use"), instance.table.plugin, USE))
        found.append(_setting(sources, (*path, "allow_from"), instance.table.allow_from, ALLOW_FROM))
        found += _class(sources, instance.config, path)
    if variable := bind_variable(sources.data, environ):
        source = f"environment variable {variable}"
        found = [attrs.evolve(item, source=source) if item.key == "server.bind" else item for item in found]
    return found


def _class(sources: Sources, value: Any, path: KeyPath) -> Iterator[Setting]:
    for field in attrs.fields(type(value)) if attrs.has(type(value)) else ():
        if field.init:
            meaning = field.metadata.get("help", ABSENT)
            yield from _member(sources, getattr(value, field.name), (*path, field.name), meaning)


def _member(sources: Sources, value: Any, path: KeyPath, meaning: str) -> Iterator[Setting]:
    if attrs.has(type(value)) and not isinstance(value, Secret | Template):
        yield from _class(sources, value, path)
    elif isinstance(value, Mapping) and any(attrs.has(type(item)) for item in value.values()):
        for key, item in value.items():
            yield from _member(sources, item, (*path, key), meaning)
    else:
        yield _setting(sources, path, value, meaning)


def _setting(sources: Sources, path: KeyPath, value: Any, meaning: str) -> Setting:
    source = sources.file(path) if _is_set(sources.data, path) else DEFAULT
    return Setting(key=dotted(path), value=shown(value), source=source, meaning=meaning)


def _is_set(data: Any, path: KeyPath) -> bool:
    for key in path:
        if not isinstance(data, dict) or key not in data:
            return False
        data = data[key]
    return True


def shown(value: Any) -> str:
    """A value as TOML would write it; of a secret only where it is."""
    if value is None:
        return "none"
    if isinstance(value, Secret):
        return f"(hidden: {value.source})"
    if isinstance(value, tuple):
        return f"[{', '.join(shown(item) for item in value)}]"
    if isinstance(value, Template):
        return json.dumps(value.source, ensure_ascii=False)
    if isinstance(value, Path):
        return json.dumps(str(value), ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False, default=str)
