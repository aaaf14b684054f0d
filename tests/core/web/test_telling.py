"""A flood becomes two lines in ten seconds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Hashable

import pytest

from duct_tape.web.telling import MAX_SENDERS, Telling

LOG = logging.getLogger("some")


def told(caplog: pytest.LogCaptureFixture, senders: list[Hashable], rounds: int = 1) -> list[str]:
    """The lines for so many events of one kind, in each round."""

    async def main() -> None:
        telling = Telling(0.01)
        for _ in range(rounds):
            for sender in senders:
                telling.tell(LOG, logging.WARNING, "refused", "refused: look here", sender)
            await asyncio.sleep(0.015)
        await asyncio.sleep(0.05)
        assert not telling._kinds

    asyncio.run(main())
    return [record.getMessage() for record in caplog.records if record.name == "some"]


def test_one_is_told_at_once(caplog: pytest.LogCaptureFixture) -> None:
    assert told(caplog, ["192.0.2.1"]) == ["refused: look here (from 192.0.2.1)"]


def test_nobody_is_not_named(caplog: pytest.LogCaptureFixture) -> None:
    assert told(caplog, [None]) == ["refused: look here"]


@pytest.mark.parametrize(
    ("senders", "rest"),
    [
        (["a"] * 1000, "999 more like this in the last 0.01 seconds, from 1 address"),
        (["a", "b", "c", "b"], "3 more like this in the last 0.01 seconds, from 2 addresses"),
        (
            [None, *range(2 * MAX_SENDERS)],
            f"{2 * MAX_SENDERS} more like this in the last 0.01 seconds, from at least {MAX_SENDERS} addresses",
        ),
    ],
)
def test_the_others_are_counted(caplog: pytest.LogCaptureFixture, senders: list[Hashable], rest: str) -> None:
    first, second = told(caplog, senders)
    assert first.startswith("refused: look here")
    assert second == f"refused: {rest}"


def test_kinds_and_loggers_are_counted_by_themselves(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        telling = Telling(10.0)
        tell: Callable[..., None] = telling.tell
        for log in (LOG, logging.getLogger("other")):
            for kind in ("one", "two"):
                for _ in range(3):
                    tell(log, logging.WARNING, kind, kind, None)

    asyncio.run(main())
    assert [(record.name, record.getMessage()) for record in caplog.records if record.levelno == logging.WARNING] == [
        ("some", "one"), ("some", "two"), ("other", "one"), ("other", "two"),
    ]  # fmt: skip
