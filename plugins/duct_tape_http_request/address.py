"""Addresses: the one spelling of a URL that is called, and the hosts that may be.

What is compared with the operator's list is what is called. So there is nothing to normalize: a URL that could be read
in two ways is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import unquote

from attrs import frozen

from duct_tape.api import PermanentError

MAX_URL = 8192
PORTS = {"https": 443, "http": 80}

_HOST = r"(?P<host>[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::(?P<port>[1-9][0-9]{0,4}))?"
_ENTRY = re.compile(_HOST)
# What RFC 3986 allows behind the host, but for the fragment.
_URL = re.compile(
    rf"(?P<scheme>https?)://{_HOST}(?P<rest>(?:[/?](?:[A-Za-z0-9._~:/?@!$&'()*+,;=\[\]-]|%[0-9A-Fa-f]{{2}})*)?)"
)
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


@frozen(kw_only=True)
class Address:
    """Where a request goes.

    :param rest: path and query.
    """

    scheme: str
    host: str
    port: int
    rest: str

    @property
    def origin(self) -> str:
        """Scheme, host and port, as short as they can be written."""
        port = "" if self.port == PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}"

    @property
    def url(self) -> str:
        """The whole address."""
        return f"{self.origin}{self.rest or '/'}"

    @property
    def path(self) -> str:
        """The path alone: a query may hold what is not for a log."""
        return self.rest.partition("?")[0] or "/"

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine's own."""
        if self.host == "localhost":
            return True
        address = _number(self.host)
        return address is not None and address.is_loopback


def parse(url: str) -> Address:
    """The address behind a URL.

    :raises PermanentError: it has not the one form that is called; the text does not hold the URL.
    """
    found = _URL.fullmatch(url) if len(url) <= MAX_URL else None
    if found is None:
        raise PermanentError(
            "the URL is not one such as 'https://ci.example.com/jobs': no user, no fragment, no capitals in the host, "
            "no blanks and nothing but ASCII (the filter `urlencode` makes any text a part of a URL)"
        )
    scheme, host = found["scheme"], found["host"]
    if problem := host_problem(host):
        raise PermanentError(f"the URL's host {problem}")
    port = int(found["port"] or PORTS[scheme])
    if port > 65535:
        raise PermanentError(f"the URL's port {port} is none")
    address = Address(scheme=scheme, host=host, port=port, rest=found["rest"])
    if _climbs(address.path):
        # A tag such as `../../admin` would lead to another place than the one that was meant.
        raise PermanentError("the URL's path holds `.` or `..`, which servers take for another folder")
    return address


def may_call(address: Address, hosts: Iterable[str], insecure: bool) -> None:
    """Compare with the operator's list.

    :raises PermanentError: the address is not on it, or would be called without TLS.
    """
    if not any(_is(address, entry) for entry in hosts):
        raise PermanentError(f"{address.origin} is not called: it is not in `hosts`")
    if address.scheme == "http" and not (insecure or address.is_loopback):
        raise PermanentError(f"{address.origin} is not called: it is neither https:// nor on this machine")


def entry_problem(entry: str) -> str:
    """Why the text cannot be a member of ``hosts``, or an empty string."""
    found = _ENTRY.fullmatch(entry)
    if not found or int(found["port"] or 1) > 65535:
        return "is not a host such as 'ci.example.com' or 'ci.example.com:8443'"
    return host_problem(found["host"])


def host_problem(host: str) -> str:
    """Why this is not the one spelling of a host, or an empty string."""
    if host.startswith("[") or _NUMBER.fullmatch(host.rpartition(".")[2]):
        address = _number(host)
        spelled = f"[{address}]" if isinstance(address, IPv6Address) else str(address)
        return "" if spelled == host else "looks like an address, and is not the usual spelling of one"
    labels = host.split(".")
    return "" if all(map(_LABEL.fullmatch, labels)) else "is not a name such as 'ci.example.com'"


def _is(address: Address, entry: str) -> bool:
    found = _ENTRY.fullmatch(entry)
    # A host alone stands for the port that belongs to the scheme, and for no other.
    return found is not None and (address.host, address.port) == (
        found["host"],
        int(found["port"] or PORTS[address.scheme]),
    )


def _number(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return IPv6Address(host[1:-1]) if host.startswith("[") else IPv4Address(host)
    except AddressValueError:
        return None


def _climbs(path: str) -> bool:
    """Whether a server might take the path for a way up: also encoded, and with what Tomcat calls parameters."""
    return any(part.partition(";")[0] in (".", "..") for part in re.split(r"[/\\]", unquote(path)))
