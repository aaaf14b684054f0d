"""The filter ``filename``, which makes one safe path component of any text."""

from __future__ import annotations

import hashlib
import re

_UNSAFE = re.compile(rb"[^A-Za-z0-9._@+,-]")
_MAX_FILENAME = 120


def filename(value: object) -> str:
    """Any text as one safe path component; two texts never give one name.

    ``v1.2.3`` stays as it is; every other byte becomes ``%XX``, also a leading dot or dash. A name that
    would be longer than 120 characters is cut and ends with ``=`` and the SHA-256 of the whole text.
    """
    text = value if isinstance(value, str) else str(value)
    data = text.encode("utf-8", "surrogatepass")
    name = _UNSAFE.sub(lambda found: b"%%%02X" % found.group()[0], data).decode("ascii")
    if name[:1] in (".", "-"):
        name = f"%{ord(name[0]):02X}{name[1:]}"
    if len(name) > _MAX_FILENAME:
        return f"{name[:48]}={hashlib.sha256(data).hexdigest()}"
    return name or "%"
