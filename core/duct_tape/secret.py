"""Secrets by reference. A secret's value is in no ``repr``, log line or error."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from attrs import field, frozen

# Values from documentation and sample configurations, which somebody will copy.
PLACEHOLDERS = frozenset(
    b"changeme change-me change_me secret mysecret my-secret password passwort token webhook-secret "
    b"your-secret your_secret yoursecret placeholder example test todo xxx".split()
)


@frozen
class Secret:
    """A secret value.

    :param source: where it came from, for messages: ``environment variable X`` or ``file /run/x``.
    """

    source: str
    _value: bytes = field(repr=False)

    def reveal(self) -> bytes:
        """The value. Keep it out of everything that is stored or shown."""
        return self._value


def resolve(reference: Any, environ: dict[str, str] | os._Environ[str] = os.environ) -> Secret:
    """The secret that ``{ env = "NAME" }`` or ``{ file = "PATH" }`` refers to.

    :raises ValueError: the reference is not of that form, or there is no usable value behind it; the
        text is a sentence without the value.
    """
    if not isinstance(reference, dict) or len(reference) != 1:
        raise ValueError('expected { env = "NAME" } or { file = "PATH" }; a secret is never written here itself')
    (kind, target), *_ = reference.items()
    if kind not in ("env", "file") or not isinstance(target, str) or not target:
        raise ValueError('expected { env = "NAME" } or { file = "PATH" }')
    source = f"environment variable {target}" if kind == "env" else f"file {target}"
    value = _from_environment(target, environ) if kind == "env" else _from_file(target)
    if not value.strip():
        raise ValueError(f"the {source} is empty")
    if value.strip().lower() in PLACEHOLDERS:
        raise ValueError(f"the {source} holds a placeholder, not a secret; `openssl rand -hex 32` makes one")
    return Secret(source, value)


def _from_environment(name: str, environ: dict[str, str] | os._Environ[str]) -> bytes:
    if name not in environ:
        raise ValueError(f"the environment variable {name} is not set")
    return environ[name].encode("utf-8", "surrogateescape")


def _from_file(path: str) -> bytes:
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ValueError(f"the file {path} cannot be read ({error.strerror})") from None
    # Editors and `echo` end a file with a line end that nobody means to be part of the secret.
    return content.removesuffix(b"\n").removesuffix(b"\r")
