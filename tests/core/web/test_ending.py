"""When the server stops, requests end in bounded time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from duct_tape.web.ending import Ending

SCOPE: dict[str, Any] = {"type": "http", "headers": []}
App = Callable[..., Coroutine[Any, Any, None]]


def sent(app: App, seconds: float | None = 0.01, scope: dict[str, Any] = SCOPE) -> list[Any]:
    """What a request is sent when the server stops while it goes on."""
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    async def receive() -> Any: ...

    async def main() -> None:
        ending = Ending(app)
        task = asyncio.create_task(ending(scope, receive, send))
        await asyncio.sleep(0)
        if seconds is not None:
            ending.end(seconds)
        await task

    asyncio.run(main())
    return messages


async def quick(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200})


async def silent(scope: Any, receive: Any, send: Any) -> None:
    await asyncio.Event().wait()


async def streaming(scope: Any, receive: Any, send: Any) -> None:
    await quick(scope, receive, send)
    await asyncio.Event().wait()


async def late(scope: Any, receive: Any, send: Any) -> None:
    raise TimeoutError("theirs")


def test_without_an_end_nothing_is_cut_off() -> None:
    assert [message["status"] for message in sent(quick, None)] == [200]


def test_a_request_that_ends_in_time_is_left_alone() -> None:
    assert [message["status"] for message in sent(quick, 10.0)] == [200]


def test_a_request_without_an_answer_gets_503() -> None:
    start, body = sent(silent)
    assert (start["status"], body["body"]) == (503, b'{"status":"unavailable","reason":"the server is stopping"}')


def test_an_answer_that_has_begun_is_cut_off() -> None:
    assert [message["status"] for message in sent(streaming)] == [200]


def test_a_request_that_comes_later_has_the_same_end() -> None:
    async def main() -> None:
        ending = Ending(silent)
        ending.end(0.0)
        messages: list[Any] = []

        async def send(message: Any) -> None:
            messages.append(message)

        await ending(SCOPE, None, send)  # type: ignore[arg-type]
        assert messages[0]["status"] == 503

    asyncio.run(main())


def test_a_timeout_of_the_applications_own_is_its_own() -> None:
    with pytest.raises(TimeoutError, match="theirs"):
        sent(late, None)


def test_the_lifespan_has_no_end() -> None:
    assert [message["status"] for message in sent(quick, 0.0, {"type": "lifespan"})] == [200]
