"""The bytes of one connection, in both directions, with little memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

CHUNK = 16 * 1024
# One buffer for all connections: what arrives is copied out of it before the event loop does anything else.
_SHARED = memoryview(bytearray(CHUNK))


class Owner(Protocol):
    """Whose a wire is."""

    def begin(self) -> None:
        """The first byte has come."""

    def end(self) -> None:
        """The connection is gone, and there was no first byte."""


class Wire(asyncio.BufferedProtocol):
    """What asyncio's streams are, with a bound: two chunks wait to be read, and no more.

    A stream reader takes up to 256 KiB at a time for each connection, also where nobody asks for it. A thousand
    connections that send at once would take as much memory as the whole server may have.

    :param made: called with the wire when the connection is there; returns who is to be told of it, or None if it
        is not wanted.
    """

    def __init__(self, made: Callable[[Wire], Owner | None]) -> None:
        self._made = made
        self._owner: Owner | None = None
        self._begun = False
        self._received = b""
        self._ended = False
        self._paused = False
        self._finished = False
        self._fresh = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._lost = asyncio.Event()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a listening socket makes no other
        self.transport = transport
        self._owner = self._made(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        return _SHARED

    def buffer_updated(self, nbytes: int) -> None:
        if self._received and not self._paused:
            self._paused = True
            self.transport.pause_reading()
        self._received += _SHARED[:nbytes]
        self._fresh.set()
        if not self._begun and self._owner:
            self._begun = True
            self._owner.begin()

    def eof_received(self) -> bool:
        self._ended = True
        self._fresh.set()
        return self._begun  # then the answer may still be on its way

    def connection_lost(self, error: Exception | None) -> None:
        self._ended = True
        for event in (self._fresh, self._writable, self._lost):
            event.set()
        if not self._begun and self._owner:
            self._owner.end()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    # What the connection calls.

    async def read(self) -> bytes:
        """What came since, or nothing at the end."""
        while not self._received and not self._ended:
            self._fresh.clear()
            await self._fresh.wait()
        received, self._received = self._received, b""
        if self._paused and not self._ended:
            self._paused = False
            self.transport.resume_reading()
        return received

    @property
    def full(self) -> bool:
        """Whether the peer does not take what was written."""
        return not self._writable.is_set()

    @property
    def lost(self) -> bool:
        """Whether there is no peer any more."""
        return self._lost.is_set()

    def write(self, data: bytes) -> None:
        """Send something, later if the peer is slow."""
        if not self._finished and not self._lost.is_set():
            self.transport.write(data)

    async def drained(self) -> None:
        """Wait until the peer has taken most of it."""
        await self._writable.wait()

    def finish(self) -> None:
        """Nothing will be written any more."""
        if not self._finished and not self._lost.is_set():
            self._finished = True
            # The peer may have gone in the same moment.
            with suppress(OSError):
                self.transport.write_eof()

    async def closed(self) -> None:
        """Close, and wait until the peer has everything."""
        self.transport.close()
        await self._lost.wait()

    def abort(self) -> None:
        """Close at once, whatever was not sent."""
        self.transport.abort()
