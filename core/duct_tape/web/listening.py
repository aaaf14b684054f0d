"""Listening sockets."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from duct_tape.errors import StartupError

BACKLOG = 1024


def listening(addresses: Sequence[str], key: str) -> list[socket.socket]:
    """Listening sockets for the addresses.

    :param key: what decides about them: a key of the configuration, or an environment variable.
    :raises StartupError: one of them is taken or not available; the text names the key.
    """
    if not addresses:
        raise StartupError(f"`{key}` names no address to listen on")
    sockets: list[socket.socket] = []
    for address in addresses:
        try:
            sockets.append(_unix(address[5:]) if address.startswith("unix:") else _tcp(address))
        except OSError as error:
            for item in sockets:
                item.close()
            why = error.strerror or str(error)
            hint = "; another server (or another duct-tape) uses it" if "in use" in why else ""
            raise StartupError(f"cannot listen on {address} ({why}){hint}: change `{key}`") from None
    return sockets


def _tcp(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    host = host.strip("[]")
    family, kind, protocol, _, target = socket.getaddrinfo(
        host, int(port), family if family == socket.AF_INET6 else 0, socket.SOCK_STREAM
    )[0]
    return _bound(socket.socket(family, kind, protocol), target)


def _unix(path: str) -> socket.socket:
    with suppress(FileNotFoundError):
        if Path(path).is_socket():
            Path(path).unlink()
    return _bound(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM), path)


def _bound(item: socket.socket, target: Any) -> socket.socket:
    try:
        item.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        item.bind(target)
        item.listen(BACKLOG)
    except OSError:
        item.close()
        raise
    item.setblocking(False)
    return item
