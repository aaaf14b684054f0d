"""One connection: its requests one after the other, and a time limit for whatever it waits for."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, cast

from attrs import frozen
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.typing import AppWrapper, ASGIReceiveEvent, ConnectionState, TaskGroup
from starlette.types import ASGIApp

from duct_tape.addresses import Address, address
from duct_tape.web.connections import Connections, Phase
from duct_tape.web.http1 import Http1
from duct_tape.web.wire import Wire

log = logging.getLogger("duct_tape.web")

# How long, after the last answer, the peer may still send what it had begun. Closing at once would reset the
# connection, and the peer would lose the answer that it has not read yet.
LINGER = 1.0
# How many pieces of a body may wait for the application.
WAITING = 2


@frozen(kw_only=True)
class Limits:
    """What one connection may cost.

    :param header_timeout: seconds for everything in front of a body, from its first byte on; for the first
        request from when the connection is there.
    :param idle_timeout: seconds that a connection may be kept for another request.
    :param request_timeout: seconds for a request and its answer, from the end of its headers on.
    :param max_header: bytes of the first line and of all headers of a request.
    """

    header_timeout: float
    idle_timeout: float
    request_timeout: float
    max_header: int


class Connection:
    """Serves one connection with Hypercorn's HTTP/1.1.

    Hypercorn's own class for this has no limit for a request or for an answer that nobody takes, and it waits
    for ever if an answer is given while more than ten pieces of the body have not been read.

    :param app: the ASGI application.
    :param table: which connections there are.
    :param tasks: where the connection's task is, while it is served.
    """

    def __init__(
        self,
        app: ASGIApp,
        config: Config,
        context: WorkerContext,
        limits: Limits,
        wire: Wire,
        table: Connections,
        tasks: set[asyncio.Task[None]],
    ) -> None:
        self._app = app
        self._config = config
        self._context = context
        self._limits = limits
        self._wire = wire
        self._table = table
        self._tasks = tasks
        self._loop = asyncio.get_running_loop()
        self._phase = Phase.IDLE
        self._over = False
        self._aborted = False
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        # As long as nothing comes there is no task and no parser: those who only connect cost little.
        self._limit(limits.header_timeout)

    def begin(self) -> None:
        """Serve it in a task of its own."""
        self._task = asyncio.create_task(self._run())
        self._tasks.add(self._task)
        self._task.add_done_callback(self._tasks.discard)

    def end(self) -> None:
        """Forget it."""
        if self._timer:
            self._timer.cancel()
        self._table.leave(self)

    def abort(self) -> None:
        """Close it at once, whatever it is doing."""
        self._aborted = True
        self._wire.abort()
        # Here too: a task that is cancelled before its first step takes none.
        self.end()
        if self._task:
            self._task.cancel()

    async def _run(self) -> None:
        try:
            async with asyncio.TaskGroup() as self._group:
                await self._serve()
            self._limit(LINGER)
            await self._wire.closed()
        except asyncio.CancelledError:
            if not self._aborted:
                raise
        except ExceptionGroup:
            log.exception("a fault of Duct Tape's own: a connection is lost")
        finally:
            self._wire.abort()
            self.end()

    async def _serve(self) -> None:
        self._protocol = self._http()
        while data := await self._wire.read():
            if self._over:
                continue
            if self._phase is Phase.IDLE:
                self._limit(self._limits.header_timeout, begun=True)
            await self._protocol.handle(RawData(data))
            if self._over:
                await self._protocol.handle(Closed())
        await self._protocol.handle(Closed())

    def _http(self) -> Http1:
        transport = self._wire.transport
        client, server = (_pair(transport.get_extra_info(side)) for side in ("peername", "sockname"))
        state = ConnectionState({})
        group, app = cast(TaskGroup, self), cast(AppWrapper, self._app)
        protocol = Http1(app, self._config, self._context, group, state, False, client, server, self._send)
        protocol.max_header_bytes = self._limits.max_header
        return protocol

    # What Hypercorn calls.

    async def spawn_app(
        self, app: Any, config: Config, scope: Any, send: Callable[[Any], Awaitable[None]]
    ) -> Callable[[ASGIReceiveEvent], Awaitable[None]]:
        """Start the application for one request."""
        body = _Body(lambda: self._change(Phase.BUSY))

        async def answer() -> None:
            try:
                await app(scope, body.get, send)
            except Exception:
                log.exception("a fault of Duct Tape's own: no answer")
            await send(None)

        self._group.create_task(answer())
        return body.put

    async def _send(self, event: Event) -> None:
        if isinstance(event, RawData):
            self._wire.write(event.data)
            if self._wire.full:
                await self._taken()
            if self._wire.lost:
                await self._protocol.handle(Closed())
                # Whoever writes on and waits for nothing must not keep all others waiting.
                await asyncio.sleep(0)
        elif isinstance(event, Closed):
            self._finish()
        elif isinstance(event, Updated):
            self._turn(event.idle)

    async def _taken(self) -> None:
        before = self._phase
        self._change(Phase.SLOW)
        await self._wire.drained()
        if self._phase is Phase.SLOW:
            self._change(before)

    def _turn(self, idle: bool) -> None:
        self._change(Phase.IDLE if idle else Phase.SLOW)
        if not idle:
            self._limit(self._limits.request_timeout)
        elif self._protocol.connection.trailing_data[0]:
            self._limit(self._limits.header_timeout)
        else:
            self._limit(self._limits.idle_timeout)

    def _finish(self) -> None:
        if not self._over:
            self._over = True
            self._wire.finish()
            self._change(Phase.IDLE)
            self._limit(LINGER)

    def _change(self, phase: Phase) -> None:
        self._phase = phase
        self._table.change(self, phase)

    # Time.

    def _limit(self, seconds: float, *, begun: bool = False) -> None:
        """Abort the connection unless something else happens in so many seconds.

        :param begun: only bring the end nearer: another byte of a request gives no more time.
        """
        when = self._loop.time() + seconds
        if self._timer:
            if begun and self._timer.when() <= when:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(when, self.abort)


class _Body:
    """Pieces of a request's body on their way to the application.

    :param whole: called when the last piece has come.
    """

    def __init__(self, whole: Callable[[], None]) -> None:
        self._whole = whole
        self._pieces: deque[ASGIReceiveEvent] = deque()
        self._fresh = asyncio.Event()
        self._room = asyncio.Event()
        self._over = False

    async def put(self, piece: ASGIReceiveEvent) -> None:
        self._pieces.append(piece)
        self._fresh.set()
        if piece["type"] == "http.disconnect":
            # Nobody will take the rest, and whoever waits to bring more must not wait for ever.
            self._over = True
            self._room.set()
        elif piece["type"] == "http.request" and not piece["more_body"]:
            self._whole()
        while len(self._pieces) > WAITING and not self._over:
            self._room.clear()
            await self._room.wait()

    async def get(self) -> ASGIReceiveEvent:
        while not self._pieces:
            self._fresh.clear()
            await self._fresh.wait()
        self._room.set()
        return self._pieces.popleft()


def _pair(name: Any) -> tuple[str, int] | None:
    # A path, or nothing, is that of a unix socket.
    return (name[0], name[1]) if isinstance(name, tuple) else None


def peer(wire: Wire) -> Address | None:
    """The address of the other side, or None on a unix socket."""
    found = _pair(wire.transport.get_extra_info("peername"))
    return address(found[0]) if found else None
