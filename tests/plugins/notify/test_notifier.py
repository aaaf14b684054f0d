"""The notifier alone: queues that are bounded, and nothing that stops it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.server_support import run

from duct_tape.api import Context, Run, RunState, Secret, Template, UnavailableError, Volume
from duct_tape_notify.conf import NotifyConf
from duct_tape_notify.message import Message
from duct_tape_notify.notifier import MAX_EARLIER, MAX_WAITING, Notifier, Timing
from duct_tape_notify.transport import Answer

FAST = Timing(pauses=(0.001, 0.001), grace=0.05)


class Journal:
    """The server's side of ``ctx.recent``."""

    def __init__(self, runs: Sequence[Run] = (), error: Exception | None = None) -> None:
        self.runs = list(runs)
        self.error = error
        self.entered = asyncio.Event()
        self.go = asyncio.Event()
        self.go.set()

    async def deliver(self, *arguments: Any, **more: Any) -> Any:
        raise AssertionError("notify hands in nothing")

    async def recent(self, limit: int, application: str | None, state: RunState | None) -> list[Run]:
        self.entered.set()
        await self.go.wait()
        if self.error:
            raise self.error
        return self.runs[:limit]


class Sender:
    """Stands in for the process that sends."""

    def __init__(self, *failures: str | Exception) -> None:
        self.failures = list(failures)
        self.messages: list[Message] = []
        self.free = asyncio.Event()
        self.free.set()

    async def __call__(self, urls: Sequence[tuple[str, Secret]], message: Message | None) -> list[Answer]:
        if message is None:
            return [Answer(f"Fake ({key})") for key, _ in urls]
        self.messages.append(message)
        await self.free.wait()
        failure = self.failures.pop(0) if self.failures else ""
        if isinstance(failure, Exception):
            raise failure
        return [Answer(f"Fake ({key})", failure=failure) for key, _ in urls]

    @property
    def titles(self) -> list[str]:
        return [message.title for message in self.messages]


def notifier(folder: Path, send: Any, journal: Journal, timing: Timing = FAST, **conf: Any) -> Notifier:
    context = Context(
        name="notify", plugin="notify", prefix="", config=NotifyConf(urls=(Secret("test", b"json://h"),), **conf),
        log=logging.getLogger("notify"), volume=Volume(folder), url="", preview=lambda planned, event: {},
        host=lambda: journal,
    )  # fmt: skip
    return Notifier(context, timing, send)


def failed(number: int = 1, **members: Any) -> Run:
    return run(number, state=RunState.FAILED, detail=f"cause {'abcdefgh'[number % 8] * number}", **members)


def play(story: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(10):
            await story()

    asyncio.run(bounded())


async def until(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110 - the notifier tells nobody
        await asyncio.sleep(0.001)


def test_the_oldest_runs_give_way(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        journal, send = Journal(), Sender()
        journal.go.clear()
        mine = notifier(tmp_path, send, journal)
        async with mine.at_work():
            mine.offer(failed(1))
            await journal.entered.wait()
            for number in range(2, MAX_WAITING + 3):
                mine.offer(failed(number))
            journal.go.set()
            await until(lambda: len(send.messages) == MAX_WAITING)

    play(story)
    assert caplog.messages[0] == "too many messages wait: run run-2 (failed) is not told"


def test_the_oldest_messages_of_a_receiver_give_way_and_are_told_with_the_next(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        journal, send = Journal(), Sender()
        send.free.clear()
        mine = notifier(tmp_path, send, journal)
        async with mine.at_work():
            mine.offer(failed(1))
            await until(lambda: len(send.messages) == 1)
            for number in range(2, MAX_WAITING + 3):
                mine.offer(failed(number))
                await until(lambda: mine._runs.empty())
            await until(lambda: bool(caplog.messages))
            journal.runs = [failed(2, updated_at=1.0)]
            again = run(500, state=RunState.FAILED, detail=failed(2).detail)
            send.free.set()
            await until(lambda: len(send.messages) == MAX_WAITING + 1)
            mine.offer(again)
            await until(lambda: len(send.messages) == MAX_WAITING + 2)
        assert "The same happened 2 times" in send.messages[-1].body

    play(story)
    assert caplog.messages == ["too many messages wait for Fake (urls[0]): app v1 failed is dropped"]


def test_without_the_journal_everything_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        send = Sender()
        mine = notifier(tmp_path, send, Journal(error=UnavailableError("the disk is gone")))
        async with mine.at_work():
            mine.offer(failed())
        assert send.titles == ["app v1: failed"]

    play(story)
    assert caplog.messages == ["run run-1 is told without a look at those before it: the disk is gone"]


def test_what_nobody_expected_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        journal, send = Journal(error=ZeroDivisionError()), Sender(ValueError("with a token"))
        mine = notifier(tmp_path, send, journal)
        async with mine.at_work():
            mine.offer(failed(1))
            await until(lambda: bool(caplog.messages))
            journal.error = None
            mine.offer(failed(2))
            await until(lambda: len(caplog.messages) == 2)
            mine.offer(failed(3))
            await until(lambda: len(send.messages) == 2)

    play(story)
    assert caplog.messages == [
        "run run-1 is not told (ZeroDivisionError)",
        "Fake (urls[0]): app v1 failed could not be sent (ValueError)",
    ]


def test_nobody_looks_where_no_process_can_be_had(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def broken(urls: object, message: object) -> list[Answer]:
        raise MemoryError

    async def story() -> None:
        async with notifier(tmp_path, broken, Journal()).at_work():
            await until(lambda: bool(caplog.messages))

    play(story)
    assert caplog.messages == ["nobody looked whether the URLs can be used (MemoryError)"]


def test_a_template_that_fails_for_this_run_is_replaced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        send = Sender()
        mine = notifier(tmp_path, send, Journal(), title=Template("{{ tag.split('.')[2] }}"))
        async with mine.at_work():
            mine.offer(failed())
        assert send.titles == ["app v1: failed"]

    play(story)
    [line] = caplog.messages
    assert line.startswith("run run-1 is told in the default words: template ")


def test_a_server_that_stops_tries_once_more_and_does_not_wait(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        send = Sender("it answered 500", "it answered 502")
        mine = notifier(tmp_path, send, Journal(), Timing(pauses=(60.0, 60.0), grace=5.0))
        async with mine.at_work():
            mine.offer(failed())
            await until(lambda: len(send.messages) == 1)
        assert len(send.messages) == 2

    play(story)
    assert caplog.messages == ["Fake (urls[0]): app v1 failed was not delivered after 2 attempts: it answered 502"]


def test_states_and_applications_that_nobody_asked_for_are_not_looked_at(tmp_path: Path) -> None:
    async def story() -> None:
        journal, send = Journal(), Sender()
        mine = notifier(tmp_path, send, journal, applications=("shop",))
        async with mine.at_work():
            mine.offer(failed())
            mine.offer(run(2, "shop", state=RunState.ACCEPTED))
            mine.offer(run(3, "shop", state=RunState.SUPERSEDED))
        assert not journal.entered.is_set()

    play(story)


def test_other_states_are_told_where_they_are_asked_for(tmp_path: Path) -> None:
    async def story() -> None:
        send = Sender()
        before = failed(updated_at=1.0)
        mine = notifier(tmp_path, send, Journal([before]), on=("deployed", "superseded"))
        async with mine.at_work():
            mine.offer(run(2, state=RunState.SUPERSEDED))
            mine.offer(run(3, state=RunState.DEPLOYED))
        # Who does not ask for recoveries is told of them as what else they are.
        assert [(message.title, message.kind) for message in send.messages] == [
            ("app v1: superseded", "info"),
            ("app v1: deployed", "success"),
        ]

    play(story)


def test_the_memory_of_what_never_arrived_is_bounded(tmp_path: Path) -> None:
    async def story() -> None:
        send = Sender(*["it answered 500"] * 3 * (MAX_EARLIER + 1))
        mine = notifier(tmp_path, send, Journal(), Timing(pauses=(), grace=5.0))
        async with mine.at_work():
            for number in range(MAX_EARLIER + 1):
                mine.offer(failed(number))
                await until(lambda: len(send.messages) == number + 1)  # noqa: B023
        assert len(mine._missed) == MAX_EARLIER

    play(story)
