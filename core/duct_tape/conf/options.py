"""Fields of configuration classes, and the types with a meaning of their own.

One declaration serves the strict reader, the JSON Schema and the reference page.
"""

from __future__ import annotations

import re
from typing import Any, NewType
from urllib.parse import urlsplit

from attrs import NOTHING, field

from duct_tape.addresses import UNIX, network

# Name of a trigger; the reader refuses one that is not under [triggers].
TriggerName = NewType("TriggerName", str)
# Name of an application; the reader refuses what is not one safe path component.
ApplicationName = NewType("ApplicationName", str)
# "host:port", "[v6]:port" or "unix:/path" of a listening socket.
Address = NewType("Address", str)
# An http or https URL, without a query.
HttpUrl = NewType("HttpUrl", str)
# An address or a network, or "unix".
Proxy = NewType("Proxy", str)
# A time span; the reader refuses what is not finite and above zero.
Seconds = NewType("Seconds", float)
# A number above zero, of bytes or of things.
Size = NewType("Size", int)


def option(help: str, *, default: Any = NOTHING, factory: Any = None, shown: str | None = None) -> Any:
    """A documented key of a configuration class.

    :param help: one sentence or two, for the reference page and for editors.
    :param default: the value when the key is absent; without one the key is required.
    :param factory: makes the default instead.
    :param shown: how the reference page shows the default, where the value itself says too little.
    """
    metadata = {"help": help, "shown": shown}
    if factory is not None:
        return field(factory=factory, metadata=metadata)
    return field(default=default, metadata=metadata)


def proxy(text: str) -> Proxy:
    """The text, if it names proxies.

    :raises ValueError: it does not.
    """
    if text != UNIX:
        network(text)
    return Proxy(text)


def http_url(text: str) -> HttpUrl:
    """The text, if it is an http or https URL to which a path can be added.

    :raises ValueError: it is not.
    """
    try:
        parts = urlsplit(text)
        # Reading the port is what looks at it.
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good or re.search(r"[\s?#\x00-\x1f]", text):
        raise ValueError(f"{text[:80]!r} is not a URL such as 'https://hooks.example.com'")
    return HttpUrl(text)
