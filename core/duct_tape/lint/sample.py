"""A made-up configuration of a plugin, for asking it what it offers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import attrs

from duct_tape.conf.options import Address, ApplicationName, HttpUrl, Proxy, Seconds, Size, TriggerName
from duct_tape.conf.sources import Sources
from duct_tape.filters import Filter
from duct_tape.lint.options import types_of
from duct_tape.secret import Secret
from duct_tape.templates import Template

SAMPLE = "sample"
# No secret of anybody. As base64 it has 24 bytes: a secret of Standard Webhooks, too.
SECRET = "7d8f0a1c52e94b36a0d1f2834c5e6b79"  # noqa: S105
_VALUES: dict[Any, Any] = {
    str: "sample",
    int: 1,
    float: 1.0,
    bool: True,
    Path: "sample",
    Address: "127.0.0.1:9000",
    ApplicationName: "sample.example.com",
    HttpUrl: "https://sample.example.com",
    Proxy: "127.0.0.1",
    Seconds: 1.0,
    Size: 1,
    TriggerName: SAMPLE,
    Template: "{{ application }}",
    Filter: 'repository == "sample"',
    Any: "sample",
}


def sources(name: str, cls: type | None, folder: Path) -> Sources:
    """A whole configuration with one instance, and nothing in it that is not required.

    :param folder: for the files that it names.
    """
    secret = folder / "secret"
    secret.write_text(SECRET)
    made = Sources(path=folder / "duct_tape.toml")
    made.data = {
        "volume": {"path": str(folder / "volume")},
        "journal": {"path": str(folder / "journal.sqlite3")},
        "triggers": {SAMPLE: {"action": SAMPLE}},
        "plugins": {name: table(cls, secret) if cls else {}},
    }
    return made


def table(cls: type, secret: Path) -> dict[str, Any]:
    """The required keys of a class."""
    required = {field.name for field in attrs.fields(cls) if field.default is attrs.NOTHING}
    return {name: value(kind, secret) for name, kind in types_of(cls).items() if name in required}


def value(kind: Any, secret: Path) -> Any:
    """A value of a type, as it stands in a file."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Secret:
        return {"file": str(secret)}
    if kind in _VALUES:
        return _VALUES[kind]
    if origin in (Union, UnionType):
        return value(next(item for item in arguments if item is not NoneType), secret)
    if origin is tuple:
        return [value(arguments[0], secret)]
    if origin is Literal:
        return arguments[0]
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"sample": value(arguments[1], secret)}
    return table(kind, secret) if attrs.has(kind) else _VALUES[str]
