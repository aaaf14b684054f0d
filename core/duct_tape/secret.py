"""Secrets by reference. A secret's value is in no ``repr``, log line or error."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

# Values from documentation and sample configurations, which somebody will copy.
PLACEHOLDERS = frozenset(
    b"changeme change-me change_me secret mysecret my-secret password passwort token webhook-secret "
    b"your-secret your_secret yoursecret placeholder example test todo xxx "
    b"your-webhook-secret your_webhook_secret yourwebhooksecret my-webhook-secret my_webhook_secret mywebhooksecret "
    b"github-webhook-secret github_webhook_secret <your-webhook-secret> your-secret-token your_secret_token "
    b"change-me-please changeme-changeme replace-with-a-secret supersecretpassword topsecretpassword "
    b"0123456789abcdef 1234567890123456 correcthorsebatterystaple".split()
) | {b"it's a secret to everybody", b"correct horse battery staple"}

# Whoever sees one signed delivery can try all short ones, a billion in a second.
MIN_BYTES = 16
# Fewer different bytes are a key that was held down, and not chance.
_MIN_DIFFERENT = 5

# Where ``duct-tape init`` writes one, below the folder of the configuration.
INITIAL = "secrets/github"

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,99}")
# Larger is no secret, and /dev/zero would never end.
_MAX_BYTES = 64 * 1024


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


def resolve(reference: Any, environ: Mapping[str, str] = os.environ) -> Secret:
    """The secret that ``{ env = "NAME" }`` or ``{ file = "PATH" }`` refers to.

    :raises ValueError: the reference is not of that form, or there is no usable value behind it; the
        text is a sentence without the value.
    """
    if not isinstance(reference, dict) or len(reference) != 1:
        raise ValueError('expected { env = "NAME" } or { file = "PATH" }; a secret is never written here itself')
    (kind, target), *_ = reference.items()
    if kind not in ("env", "file") or not isinstance(target, str) or not target:
        raise ValueError('expected { env = "NAME" } or { file = "PATH" }')
    value = _from_environment(target, environ) if kind == "env" else _from_file(target)
    source = f"environment variable {target}" if kind == "env" else f"file {target}"
    if not value.strip():
        raise ValueError(f"the {source} is empty; `openssl rand -hex 32` makes a secret")
    if value.strip().lower() in PLACEHOLDERS or len(set(value.strip())) < _MIN_DIFFERENT <= len(value.strip()):
        raise ValueError(f"the {source} holds a placeholder, not a secret; `openssl rand -hex 32` makes one")
    # The address of somebody who gets messages is as secret, but nothing is signed with it.
    if len(value.strip()) < MIN_BYTES and b"://" not in value:
        raise ValueError(f"the {source} is shorter than {MIN_BYTES} characters; `openssl rand -hex 32` makes a secret")
    return Secret(source, value)


# Somebody may have put the secret itself in the place of its reference. So a name that leads nowhere is
# only shown when it looks like one.


def _from_environment(name: str, environ: Mapping[str, str]) -> bytes:
    if name not in environ:
        shown = f"the environment variable {name}" if _VARIABLE.fullmatch(name) else "the environment variable"
        raise ValueError(f"{shown} is not set; {_unset_advice(name)}")
    return environ[name].encode("utf-8", "surrogateescape")


def _from_file(path: str) -> bytes:
    shown = f"the file {path}" if _is_path(path) else "the file"
    try:
        with Path(path).open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise ValueError(f"{shown} cannot be read ({error.strerror}){_file_advice(path, error)}") from None
    if len(content) > _MAX_BYTES:
        raise ValueError(f"{shown} is too large to be a secret")
    # Editors and `echo` end a file with a line end that nobody means to be part of the secret.
    return content.removesuffix(b"\n").removesuffix(b"\r")


def _unset_advice(name: str) -> str:
    if _VARIABLE.fullmatch(name):
        return 'set it for every command that reads the configuration, or use { file = "PATH" }'
    return "write its name there, not the secret"


def _file_advice(path: str, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        if path.endswith(INITIAL):
            return "; `duct-tape init` makes it"
        return "; `openssl rand -hex 32` makes a secret, to be put there"
    if isinstance(error, PermissionError):
        return "; the server's user needs the right to read it, and to enter its folder"
    return "; name the file that holds the secret"


def _is_path(text: str) -> bool:
    return os.path.isabs(text) or ("/" in text and os.path.isdir(text.partition("/")[0]))
