"""The load: as many connections as asked for, each with one delivery at a time, until all are answered."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence

from attrs import field, frozen

from benchmarks.shots import Shot


@frozen
class Volley:
    """What came of the deliveries.

    :param began: the clock at the first.
    :param sent: the clock when each was sent, by its number.
    :param answered: seconds until each was answered.
    """

    began: float
    ended: float
    sent: dict[int, float]
    answered: list[float]
    statuses: Counter[int] = field(factory=Counter)


async def shoot(port: int, shots: Sequence[Shot], connections: int) -> Volley:
    """Send them all.

    :raises OSError: the server does not take them.
    """
    volley = Volley(time.monotonic(), 0.0, {}, [])
    waiting = iter(shots)
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(_send(port, waiting, volley))
    return Volley(volley.began, time.monotonic(), volley.sent, volley.answered, volley.statuses)


async def _send(port: int, waiting: Iterator[Shot], volley: Volley) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for shot in waiting:
        began = volley.sent[shot.number] = time.monotonic()
        writer.write(shot.request)
        status, close = await _answer(reader)
        volley.answered.append(time.monotonic() - began)
        volley.statuses[status] += 1
        if close:
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()
    await writer.wait_closed()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """Status of one answer, and whether the connection ends with it."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    _, _, length = head.partition(b"content-length:")
    await reader.readexactly(int(length.split(b"\r\n", 1)[0]))
    return int(head.split(b" ", 2)[1]), b"connection: close" in head
