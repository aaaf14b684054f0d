"""Addresses and networks: reading them, and who a request really comes from."""

from __future__ import annotations

import ipaddress
from collections.abc import Hashable, Iterable, Sequence
from typing import TypeAlias

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

# Stands for whoever connects by a Unix socket.
UNIX = "unix"


def address(text: str) -> Address | None:
    """The address that the text is, or None. IPv4 in the clothes of IPv6 is IPv4."""
    try:
        # An address from ``fe80::/10`` says by which interface.
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def network(text: str) -> Network:
    """The network that the text names; an address is a network of one.

    :raises ValueError: it names none; the message says why.
    """
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        why = f"; did you mean '{ipaddress.ip_network(text, strict=False)}'?" if "host bits" in str(error) else ""
        example = "" if why else "; write for instance '10.0.0.0/8', '2001:db8::/32' or '203.0.113.9'"
        raise ValueError(f"{text[:80]!r} is no network{why}{example}") from None


def within(found: Address | None, networks: Iterable[Network]) -> bool:
    """Whether the address is in one of the networks. Nobody's address is in none."""
    return found is not None and any(found.version == item.version and found in item for item in networks)


class Proxies:
    """The proxies that may say for whom they ask.

    :param trusted: networks, and ``unix`` for whoever connects by a Unix socket.
    """

    def __init__(self, trusted: Sequence[str]) -> None:
        self._unix = UNIX in trusted
        self._networks = tuple(network(text) for text in trusted if text != UNIX)

    def counted(self, found: Address | None) -> Hashable | None:
        """What counts as one sender: an IPv4 address, or the /64 network of an IPv6 one, which is one customer.

        None for this machine's own address, for our proxies and for nobody's: behind them is everybody.
        """
        if found is None or found.is_loopback or within(found, self._networks):
            return None
        return found if isinstance(found, ipaddress.IPv4Address) else int(found) >> 64

    def trust(self, peer: Address | None) -> bool:
        """Whether a peer is one of them. None is the peer of a Unix socket."""
        return self._unix if peer is None else within(peer, self._networks)

    def sender(self, peer: str | None, forwarded: Iterable[str]) -> Address | None:
        """Who a request comes from: the nearest address that is not one of our proxies.

        :param peer: the other side of the connection; None on a Unix socket.
        :param forwarded: the values of ``X-Forwarded-For``, in the order received. Each proxy adds the address
            that it sees on the right; what is left of the first address that is not ours, anybody may have
            written.
        """
        found = address(peer) if peer is not None else None
        entries = [entry.strip() for value in forwarded for entry in value.split(",")]
        while entries and self.trust(found):
            following = address(entries.pop())
            if following is None:
                break
            found = following
        return found
