"""The reference page of the configuration, from the same classes that read it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import attrs

from duct_tape.conf.options import Address, ApplicationName, HttpUrl, Proxy, Seconds, Size, TriggerName
from duct_tape.conf.schema import first_line
from duct_tape.conf.sections import Sections
from duct_tape.filters import Filter
from duct_tape.secret import Secret
from duct_tape.templates import Template

_NAMES: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Path: "path",
    Address: "address",
    HttpUrl: "URL",
    Proxy: "address or network",
    Seconds: "number above 0",
    Size: "whole number above 0",
    ApplicationName: "application",
    TriggerName: "name of a trigger",
    Template: "[template](templates.md)",
    Filter: "[filter](filters.md)",
    Secret: "secret",
    Any: "anything",
}


def reference(found: Sections) -> str:
    """The page in MyST Markdown."""
    lines = []
    for name, cls in found.core.items():
        lines += _table(f"[{name}]", cls)
    for name, cls in found.actions.items():
        lines += _table(f'[triggers.NAME] with action = "{name}"', cls)
    for name, plugin in found.plugins.items():
        lines += _table(f"[plugins.{name}]", plugin) if plugin else [f"## `[plugins.{name}]`", "", "No keys.", ""]
    return "\n".join(lines).rstrip() + "\n"


def _table(heading: str, cls: type) -> list[str]:
    rows = [f"## `{heading}`", "", first_line(cls), "", "| key | type | default | meaning |", "|---|---|---|---|"]
    hints = get_type_hints(cls)
    nested: list[str] = []
    for field in (field for field in attrs.fields(cls) if field.init):
        kind = hints[field.name]
        meaning = field.metadata.get("help", "").replace("|", "\\|")
        rows.append(f"| `{field.name}` | {type_name(kind)} | {default_text(field)} | {meaning} |")
        name = f"{field.name}.NAME" if _is_mapping(kind) else field.name
        for inner in _classes(kind):
            nested += _table(f"{heading[:-1]}.{name}]", inner)
    return [*rows, "", *nested]


def type_name(kind: Any) -> str:
    """A type in words."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in _NAMES:
        return _NAMES[kind]
    if origin in (Union, UnionType):
        return type_name(next(item for item in arguments if item is not NoneType))
    if origin is tuple:
        return f"list of {type_name(arguments[0])}"
    if origin is Literal:
        return " or ".join(f'`"{item}"`' for item in arguments)
    if _is_mapping(kind):
        return "table" if arguments[1] is Any else f"table of {type_name(arguments[1])}s"
    return "table"


def _is_mapping(kind: Any) -> bool:
    origin = get_origin(kind)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def default_text(field: attrs.Attribute[Any]) -> str:
    """A default in the words of a configuration file."""
    if field.metadata.get("shown"):
        return _code(field.metadata["shown"])
    if field.default is attrs.NOTHING:
        return "required"
    if field.default is None or isinstance(field.default, attrs.Factory):  # type: ignore[arg-type]
        return "none"
    if isinstance(field.default, bool):
        return f"`{str(field.default).lower()}`"
    if isinstance(field.default, Template):
        return f"`{field.default.source}`"
    if isinstance(field.default, tuple):
        return "none" if not field.default else f"`{json.dumps(field.default)}`"
    return f"`{field.default}`"


def _code(text: str) -> str:
    return text if "`" in text else f"`{text}`"


def _classes(kind: Any) -> Iterator[type]:
    if isinstance(kind, type) and attrs.has(kind) and kind not in _NAMES:
        yield kind
    for argument in get_args(kind):
        yield from _classes(argument)
