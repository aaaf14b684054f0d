"""A JSON Schema of the configuration, for editors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import attrs

from duct_tape.conf.options import Address, ApplicationName, HttpUrl, Proxy, Seconds, Size, TriggerName
from duct_tape.conf.sections import Sections
from duct_tape.filters import Filter
from duct_tape.secret import Secret
from duct_tape.templates import Template

_SECRET = {
    "oneOf": [
        {
            "type": "object",
            "properties": {key: {"type": "string", "minLength": 1}},
            "required": [key],
            "additionalProperties": False,
        }
        for key in ("env", "file")
    ],
    "description": "A reference to a secret: { env = NAME } or { file = PATH }.",
}
_SIMPLE: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    Path: {"type": "string"},
    Address: {"type": "string"},
    HttpUrl: {"type": "string", "pattern": "^https?://"},
    Proxy: {"type": "string", "minLength": 1},
    Seconds: {"type": "number", "exclusiveMinimum": 0},
    Size: {"type": "integer", "minimum": 1},
    ApplicationName: {"type": "string", "minLength": 1},
    TriggerName: {"type": "string"},
    Template: {"type": "string", "maxLength": 4096},
    Filter: {"type": "string", "maxLength": 4096},
    Secret: _SECRET,
    Any: {},
}


def schema(found: Sections) -> dict[str, Any]:
    """The schema of a whole configuration file."""
    properties = {name: class_schema(cls) for name, cls in found.core.items()}
    # Merged from several files, no section is complete in each of them: nothing is required at the top.
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Duct Tape configuration",
        "type": "object",
        "properties": {
            **properties,
            "triggers": {"type": "object", "additionalProperties": _trigger(found)},
            "plugins": {
                "type": "object",
                "properties": {name: _plugin(cls) for name, cls in found.plugins.items()},
                "additionalProperties": {"type": "object", "required": ["use"]},
            },
        },
        "additionalProperties": False,
    }


def class_schema(cls: type, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The schema of one attrs class."""
    hints = get_type_hints(cls)
    fields = [field for field in attrs.fields(cls) if field.init]
    result: dict[str, Any] = {
        "type": "object",
        "description": first_line(cls),
        "properties": {
            **(extra or {}),
            **{field.name: _property(hints[field.name], field) for field in fields},
        },
        "additionalProperties": False,
    }
    if required := [field.name for field in fields if field.default is attrs.NOTHING]:
        result["required"] = required
    return result


def type_schema(kind: Any) -> dict[str, Any]:
    """The schema of one type of a configuration class."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in _SIMPLE:
        return dict(_SIMPLE[kind])
    if origin in (Union, UnionType):
        return type_schema(next(item for item in arguments if item is not NoneType))
    if origin is tuple:
        return {"type": "array", "items": type_schema(arguments[0])}
    if origin is Literal:
        return {"enum": list(arguments)}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": type_schema(arguments[1])}
    return class_schema(kind) if attrs.has(kind) else {}


def first_line(cls: type) -> str:
    """The first line of a class's docstring."""
    return (cls.__doc__ or "").strip().partition("\n")[0]


def _property(kind: Any, field: attrs.Attribute[Any]) -> dict[str, Any]:
    result = type_schema(kind)
    if help_text := field.metadata.get("help"):
        result["description"] = help_text
    if isinstance(field.default, bool | int | float | str):
        result["default"] = field.default
    return result


def _trigger(found: Sections) -> dict[str, Any]:
    options = [class_schema(cls, {"action": _action(name)}) for name, cls in found.actions.items()]
    return {"type": "object", "required": ["action"]} | ({"oneOf": options} if options else {})


def _action(name: str) -> dict[str, Any]:
    # The second form says which of several instances is meant.
    return {"anyOf": [{"const": name}, {"type": "string", "pattern": f"^[a-z0-9][a-z0-9-]*:{_literal(name)}$"}]}


def _literal(text: str) -> str:
    # Not re.escape: what Python escapes, JavaScript's expressions do not let one escape.
    return re.sub(r"[.^$*+?()\[\]{}|\\/]", r"\\\g<0>", text)


def _plugin(cls: type | None) -> dict[str, Any]:
    use = {
        "use": {"type": "string", "description": "The plugin, where the instance has another name."},
        "allow_from": {
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "minItems": 1,
            "description": "The only addresses and networks from which requests are taken.",
        },
    }
    if cls is None:
        return {"type": "object", "properties": use, "additionalProperties": False}
    return class_schema(cls, use)
