"""Serving: sockets, signals, and an end within a bounded time."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, cast

from hypercorn.asyncio import serve as hypercorn_serve
from hypercorn.config import Config
from hypercorn.typing import Framework
from hypercorn.utils import LifespanFailureError
from starlette.types import ASGIApp

from duct_tape import __version__
from duct_tape.assembly import Assembly, local_url
from duct_tape.errors import StartupError
from duct_tape.journal import Journal
from duct_tape.journal.sqlite import open_journal
from duct_tape.web.admin import build_admin
from duct_tape.web.app import build_app
from duct_tape.web.ending import Ending

log = logging.getLogger("duct_tape")

BACKLOG = 1024
LONG = 3600.0


def serve(assembly: Assembly) -> None:
    """Serve until SIGTERM or SIGINT.

    :raises StartupError: a port is taken, or the volume or the journal cannot be used.
    """
    core = assembly.configuration.core
    assembly.volume.check()
    assembly.volume.clean()
    public = listening(core.server.bind, "server.bind")
    admin = listening(core.admin.bind, "admin.bind") if core.admin else []
    asyncio.run(_serve(assembly, open_journal(core.journal), public, admin))


async def _serve(
    assembly: Assembly, journal: Journal, public: Sequence[socket.socket], admin: Sequence[socket.socket]
) -> None:
    core = assembly.configuration.core
    closing = _closing_on_signals(core.server.shutdown_timeout)
    names = ", ".join(core.server.bind)
    log.info("duct-tape %s serves on %s, flags go to %s", __version__, names, assembly.volume.path)
    for instance in (instance for instance in assembly.registry if instance.routes):
        log.info("webhooks: POST %s%s", core.server.public_url or local_url(core.server.bind), instance.prefix)
    app = build_app(assembly, journal)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_hypercorn(app, public, closing, core.server.shutdown_timeout))
            if core.admin:
                shared = partial(getattr, app.state, "health", None)
                admin_app = build_admin(assembly, journal, core.admin.token, shared)
                group.create_task(_hypercorn(admin_app, admin, closing, core.server.shutdown_timeout))
    except ExceptionGroup as errors:
        if errors.split(LifespanFailureError)[1]:
            raise
        verb = "stop in order" if closing.is_set() else "start"
        raise StartupError(f"the server cannot {verb}: {app.state.failure}") from None
    log.info("stopped")


async def _hypercorn(app: ASGIApp, sockets: Sequence[socket.socket], closing: asyncio.Event, seconds: float) -> None:
    config = Config()
    config.bind = [f"fd://{item.detach()}" for item in sockets]
    config.errorlog = logging.getLogger("hypercorn.error")
    config.graceful_timeout = seconds / 3
    # Every step has a limit of its own, and all of them together the deadline in _closing_on_signals.
    config.startup_timeout = config.shutdown_timeout = LONG
    config.include_server_header = False
    ending = Ending(app)

    async def trigger() -> None:
        await closing.wait()
        ending.end(seconds / 4)

    await hypercorn_serve(cast(Framework, ending), config, shutdown_trigger=trigger, mode="asgi")


def _closing_on_signals(seconds: float) -> asyncio.Event:
    closing = asyncio.Event()

    def close() -> None:
        if closing.is_set():
            return
        log.info("stopping: requests and runs in flight may end within %g seconds", seconds)
        closing.set()
        # Whatever hangs, the process ends; what was accepted is in the journal. Nothing else may stop this
        # (on Python 3.12.1 and newer asyncio waits for open connections for ever: hypercorn#374).
        # Twice, since the log itself may be what hangs: a pipe that nobody reads any more.
        for wait, give_up in ((1.0, _give_up), (1.5, lambda: os._exit(0))):
            deadline = threading.Timer(seconds + wait, give_up)
            deadline.daemon = True
            deadline.start()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, close)
    return closing


def _give_up() -> None:
    log.warning("stopped although something did not end in time; it is taken up at the next start")
    logging.shutdown()
    os._exit(0)


def listening(addresses: Sequence[str], key: str) -> list[socket.socket]:
    """Listening sockets for the addresses.

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
