"""As much load as a server bears, from a client that costs little itself."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Sequence

from proofs.senders import PATH, delivery


def load(port: int, names: Sequence[str], warm_up: float, seconds: float) -> Counter[int]:
    """Send on one connection for each application; the answers by status, without those of the first seconds."""
    return asyncio.run(_load(port, names, warm_up, seconds))


async def _load(port: int, names: Sequence[str], warm_up: float, seconds: float) -> Counter[int]:
    answers: Counter[int] = Counter()
    begin = time.monotonic() + warm_up
    async with asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(_send(port, name, begin, begin + seconds, answers))
    return answers


async def _send(port: int, name: str, begin: float, end: float, answers: Counter[int]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number in itertools.count(1):
        writer.write(_request(name, number))
        status = await _status(reader)
        now = time.monotonic()
        if now >= end:
            break
        if now >= begin:
            answers[status] += 1
    writer.close()
    await writer.wait_closed()


def _request(name: str, number: int) -> bytes:
    body, headers = delivery(name, number)
    lines = [f"POST {PATH} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
    lines += [f"{key}: {value}" for key, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def _status(reader: asyncio.StreamReader) -> int:
    """The status of one answer, which is read to its end."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    _, _, length = head.partition(b"content-length:")
    await reader.readexactly(int(length.split(b"\r\n", 1)[0]))
    return int(head.split(b" ", 2)[1])
