"""What the tests of ``notify`` share: receivers that keep what they are sent."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from attrs import define, field

# Long enough to be found wherever it gets out.
TOKEN = "t0psecrettokenofthechannel"


@define(eq=False)
class Web:
    """A web server.

    :param codes: the next answers; then 200.
    :param hold: while it is set, nothing is answered.
    """

    port: int = 0
    codes: list[int] = field(factory=list)
    hold: threading.Event = field(factory=threading.Event)
    requests: list[tuple[str, Any]] = field(factory=list)
    arrived: threading.Condition = field(factory=threading.Condition)
    released: threading.Event = field(factory=threading.Event)

    def url(self, kind: str = "json") -> str:
        """An apprise URL with a token in it."""
        return f"{kind}://user:{TOKEN}@127.0.0.1:{self.port}/{TOKEN}"

    def wait(self, count: int, seconds: float = 15.0) -> list[Any]:
        """What was sent, once there are so many requests."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.requests) >= count, seconds), self.requests
            return [content for _, content in self.requests]

    def take(self, path: str, content: Any) -> int:
        with self.arrived:
            self.requests.append((path, content))
            self.arrived.notify_all()
            code = self.codes.pop(0) if self.codes else 200
        if self.hold.is_set():
            self.released.wait()
        return code


class Mailbox:
    """Takes mail in."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []
        self.arrived = threading.Event()

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:
        self.mails.append(envelope.content)
        self.arrived.set()
        return "250 OK"


def wait_for(true: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for something that tells nobody."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)
