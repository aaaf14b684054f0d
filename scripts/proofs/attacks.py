"""Attackers, each in a process of its own: ``python -m proofs.attacks KIND PORT PATH COUNT``, until killed.

A line on standard output tells that an attack has begun, and one each half second how much was done.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from collections.abc import Awaitable, Callable, Mapping

from duct_tape_github import receive
from duct_tape_github.sample import release_payload
from proofs.machine import SECRET
from signing import github_signature

LARGE = 25 * 1024 * 1024
WRONG = "sha256=" + "0" * 64
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Attack:
    """One kind, over many connections.

    :param port: of the server.
    :param path: of the webhook.
    """

    def __init__(self, port: int, path: str) -> None:
        self.port, self.path, self.done = port, path, 0
        self._signed = b""

    async def idle(self) -> None:
        """Connections on which nothing comes."""
        reader, writer = await self._open()
        await reader.read()
        writer.close()

    async def headers(self) -> None:
        """Headers at a byte a second."""
        await self._drip(f"POST {self.path} HTTP/1.1\r\nX: ".encode(), 1 << 30)

    async def bodies(self) -> None:
        """Bodies at a byte a second, with a signature of the right form."""
        await self._drip(self._head(10_000), 10_000)

    async def unsigned(self) -> None:
        """Bodies of the largest size, with a wrong signature."""
        await self._large(WRONG, b"x" * LARGE)

    async def signed(self) -> None:
        """Bodies of the largest size, from a sender who knows the secret."""
        if not self._signed:
            payload = {**release_payload("acme/other", tag="v1"), "padding": ""}
            payload["padding"] = "x" * (LARGE - len(json.dumps(payload)))
            self._signed = json.dumps(payload).encode()
            self._signature = github_signature(SECRET, self._signed)
        await self._large(self._signature, self._signed)

    async def signatures(self) -> None:
        """Small bodies with a wrong signature, as fast as they are answered."""
        reader, writer = await self._open()
        request = self._head(2) + b"{}"
        try:
            while True:
                writer.write(request)
                if not (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 4"):
                    return
                self.done += 1
                if not (await reader.read(200)).endswith(b"}"):
                    return
                if reader.at_eof():
                    return
        finally:
            writer.close()

    def _head(self, length: int, signature: str = WRONG) -> bytes:
        headers: Mapping[str, str] = {
            **dict(receive.simulated("release", b"{}").headers),
            "Host": "x",
            "Content-Length": str(length),
            receive.SIGNATURE: signature,
        }
        lines = [f"POST {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        return "\r\n".join(lines).encode()

    async def _large(self, signature: str, body: bytes) -> None:
        reader, writer = await self._open()
        writer.write(self._head(len(body), signature))
        for start in range(0, len(body), 1 << 16):
            writer.write(body[start : start + (1 << 16)])
            await writer.drain()
        await reader.read(100)
        writer.close()

    async def _drip(self, begin: bytes, count: int) -> None:
        reader, writer = await self._open()
        writer.write(begin)
        ended = asyncio.ensure_future(reader.read())
        for _ in range(count):
            if (await asyncio.wait([ended], timeout=1.0))[0]:
                break
            writer.write(b"x")
        await asyncio.gather(ended, return_exceptions=True)
        writer.close()

    async def _open(self) -> Streams:
        return await asyncio.open_connection("127.0.0.1", self.port)


async def attack(kind: str, port: int, path: str, count: int) -> None:
    """Keep so many attackers at work until cancelled."""
    found = Attack(port, path)
    work: Callable[[], Awaitable[None]] = getattr(found, kind)

    async def again() -> None:
        while True:
            try:
                await work()
            except (OSError, EOFError, ValueError):
                # Whoever is cut off comes again.
                await asyncio.sleep(0.05)
            if kind != "signatures":
                found.done += 1

    tasks = [asyncio.create_task(again()) for _ in range(count)]
    await asyncio.sleep(0.5)
    while not any(task.done() for task in tasks):
        print(found.done, flush=True)
        await asyncio.sleep(0.5)


if __name__ == "__main__":
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(attack(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
