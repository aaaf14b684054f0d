"""Who is connected, and who has to go when there are too many."""

from __future__ import annotations

import enum
from collections.abc import Hashable
from typing import Protocol


class Phase(enum.Enum):
    """What a connection waits for."""

    IDLE = "the peer, to begin a request"
    SLOW = "the peer, to send the rest of a request or to take the answer"
    BUSY = "us"


class Closable(Protocol):
    """What the table needs of a connection."""

    def abort(self) -> None:
        """Close it at once."""


class Crowd:
    """Connections that share one limit, in the order in which they last began to wait for something.

    :param limit: how many there may be.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: dict[Closable, Phase] = {}
        self._busy: dict[Closable, Phase] = {}

    def __len__(self) -> int:
        return len(self._waiting) + len(self._busy)

    @property
    def full(self) -> bool:
        return len(self) >= self._limit

    def enter(self, connection: Closable, phase: Phase) -> None:
        """Add a connection, or have it change its phase; it is the youngest there."""
        self.leave(connection)
        (self._busy if phase is Phase.BUSY else self._waiting)[connection] = phase

    def leave(self, connection: Closable) -> None:
        self._waiting.pop(connection, None)
        self._busy.pop(connection, None)

    def members(self, *phases: Phase) -> list[Closable]:
        return [connection for connection, phase in (self._waiting | self._busy).items() if phase in phases]

    def victim(self) -> Closable | None:
        """The connection that has to go: the one that has waited longest for its peer. None if all wait for us.

        Idle ones are not worse than slow ones: a release that has just been connected is idle for a moment.
        """
        return next(iter(self._waiting), None)


class Connections:
    """All connections of one socket.

    At a limit the connection is closed that has waited longest for its peer, and the new one is let in. Whoever
    takes all connections loses them in the order in which they came, while a request that is sent whole is
    answered long before it is its turn.

    :param limit: how many there may be.
    :param per_address: how many from one address.
    """

    def __init__(self, limit: int, per_address: int) -> None:
        self._per_address = per_address
        self._everybody = Crowd(limit)
        self._crowds: dict[Hashable, Crowd] = {}
        self._addresses: dict[Closable, Hashable | None] = {}
        self.closed = 0  # how many had to go

    def __len__(self) -> int:
        return len(self._everybody)

    def admit(self, connection: Closable, address: Hashable | None) -> bool:
        """Let a connection in, if need be in another's place.

        :param address: whose it is; None if that is not known, or if it stands for many.
        """
        crowds = [self._everybody]
        if address is not None:
            crowds.insert(0, self._crowds.get(address) or Crowd(self._per_address))
        for crowd in crowds:
            if crowd.full and not self._close_one(crowd):
                self.closed += 1
                return False
        if address is not None:
            self._crowds[address] = crowds[0]
        self._addresses[connection] = address
        for crowd in crowds:
            crowd.enter(connection, Phase.IDLE)
        return True

    def _close_one(self, crowd: Crowd) -> bool:
        victim = crowd.victim()
        if victim is None:
            return False
        self.closed += 1
        self.leave(victim)
        victim.abort()
        return True

    def change(self, connection: Closable, phase: Phase) -> None:
        """A connection waits for something else now."""
        for crowd in self._of(connection):
            crowd.enter(connection, phase)

    def leave(self, connection: Closable) -> None:
        """A connection has ended."""
        for crowd in self._of(connection):
            crowd.leave(connection)
        address = self._addresses.pop(connection, None)
        if address is not None and not self._crowds[address]:
            del self._crowds[address]

    def close_idle(self) -> None:
        """Close the connections without a request."""
        for connection in self._everybody.members(Phase.IDLE):
            connection.abort()

    def close_all(self) -> None:
        """Close all that are left."""
        for connection in self._everybody.members(*Phase):
            connection.abort()

    def _of(self, connection: Closable) -> list[Crowd]:
        if connection not in self._addresses:
            return []
        address = self._addresses[connection]
        return [self._everybody] if address is None else [self._everybody, self._crowds[address]]
