"""What accepts connections, serves them, and ends them in bounded time."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import resource
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import cast

from hypercorn.asyncio.lifespan import Lifespan
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from hypercorn.typing import Framework
from hypercorn.utils import wrap_app
from starlette.types import ASGIApp

from duct_tape.addresses import Proxies
from duct_tape.conf.model import ServerConf
from duct_tape.web.connection import Connection, Limits, peer
from duct_tape.web.connections import Connections
from duct_tape.web.ending import Ending
from duct_tape.web.listening import BACKLOG
from duct_tape.web.wire import Wire

log = logging.getLogger("duct_tape.web")

LONG = 3600.0
# How many connections are accepted before those that are there get their turn again.
AT_ONCE = 16
# Files that are open besides connections: the journal, the volume, listening sockets, plugins.
OTHER_FILES = 128
TELL_EVERY = 10.0
LAST_CALL = 0.1
M_MMAP_THRESHOLD = -3
LARGE_BLOCK = 256 * 1024


class Worker:
    """Serves one application on some sockets.

    In the place of Hypercorn's own, which has no limit for the number of connections.
    """

    def __init__(self, app: ASGIApp, server: ServerConf) -> None:
        self._ending = Ending(app)
        self._seconds = server.shutdown_timeout
        self._limits = Limits(
            header_timeout=server.header_timeout,
            idle_timeout=server.idle_timeout,
            request_timeout=server.request_timeout,
            max_header=server.max_header,
        )
        self._proxies = Proxies(server.trusted_proxies)
        self._table = Connections(server.max_connections, server.max_connections_per_address)
        self._tasks: set[asyncio.Task[None]] = set()
        self._config = _config(server)
        self._context = WorkerContext(None)

    async def work(self, sockets: Sequence[socket.socket], closing: asyncio.Event) -> None:
        """Serve until ``closing`` is set.

        :raises LifespanFailureError: the application cannot start, or cannot end in order.
        """
        loop = asyncio.get_running_loop()
        app = wrap_app(cast(Framework, self._ending), 0, "asgi")
        lifespan = Lifespan(app, self._config, loop, {})
        living = asyncio.create_task(lifespan.handle_lifespan())
        try:
            await lifespan.wait_for_startup()
            if living.done():
                await living
            await self._serve(sockets, closing)
            await lifespan.wait_for_shutdown()
        finally:
            living.cancel()
            (ended,) = await asyncio.gather(living, return_exceptions=True)
        if isinstance(ended, Exception):
            raise ended

    async def _serve(self, sockets: Sequence[socket.socket], closing: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        servers = []
        for item in sockets:
            servers.append(await loop.create_server(lambda: Wire(self._made), sock=item, backlog=AT_ONCE))
            # For asyncio the backlog is also how many it accepts at once, before anything else happens.
            item.listen(BACKLOG)
        telling = asyncio.create_task(self._tell())
        try:
            await closing.wait()
            self._ending.end(self._seconds / 4)
            await self._context.terminated.set()
            # What has reached this machine by now is still taken.
            await asyncio.sleep(LAST_CALL)
        finally:
            telling.cancel()
            for server in servers:
                server.close()
            self._table.close_idle()
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=self._seconds / 3)
            self._table.close_all()

    def _made(self, wire: Wire) -> Connection | None:
        connection = Connection(self._ending, self._config, self._context, self._limits, wire, self._table, self._tasks)
        if self._table.admit(connection, self._proxies.counted(peer(wire))):
            return connection
        connection.end()
        wire.abort()
        return None

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(TELL_EVERY)
            closed, self._table.closed = self._table.closed, 0
            if closed:
                log.warning(
                    "too many connections: %d were closed in the last %g seconds; %d are open",
                    closed, TELL_EVERY, len(self._table),
                )  # fmt: skip


def _config(server: ServerConf) -> Config:
    config = Config()
    config.errorlog = logging.getLogger("hypercorn.error")
    # Every step of starting and stopping has a limit of its own, and all of them together the process's deadline.
    config.startup_timeout = config.shutdown_timeout = LONG
    config.include_server_header = False
    config.h11_max_incomplete_size = server.max_header
    return config


def return_memory() -> None:
    """Have the C library give back what large bodies took, as soon as they are gone.

    glibc learns from a large block that was freed to keep the next ones in its heap, where every piece that grows is
    copied, and holes remain.
    """
    # musl and macOS have no such function, and no such habit.
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK)


def allow_files(connections: int) -> None:
    """Raise this process's limit of open files, so that it holds so many connections."""
    wanted = connections + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    possible = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (possible, hard))
    if possible < wanted:
        log.warning(
            "only %d files may be open, too few for %d connections: raise the limit (`ulimit -n`), or lower "
            "`server.max_connections`", possible, connections,
        )  # fmt: skip
