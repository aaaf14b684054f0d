"""A journal with a page that is no page any more: what is sound is served, and everybody is told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.journal_support import accept, damage

from duct_tape.errors import JournalError, StartupError
from duct_tape.journal.sqlite import SQLiteJournal

ADVICE = "; let `path` under \\[journal\\] name another file, or put a backup in its place$"


@pytest.fixture
def damaged(tmp_path: Path) -> Callable[[str], Path]:
    """A journal with one run, and a damaged table."""

    def damaged(table: str) -> Path:
        path = tmp_path / "journal.sqlite3"

        async def fill() -> None:
            journal = SQLiteJournal(path)
            await accept(journal, 1)
            await journal.close()

        asyncio.run(fill())
        damage(path, table)
        return path

    return damaged


def asked(path: Path, *questions: Callable[[SQLiteJournal], Awaitable[object]]) -> list[str]:
    """How each question failed, one after the other; empty where it did not."""

    async def main() -> list[str]:
        journal, found = SQLiteJournal(path), []
        for question in questions:
            try:
                await question(journal)
                found.append("")
            except JournalError as error:
                found.append(str(error))
        await journal.close()
        return found

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("table", "question"),
    [("deliveries", lambda journal: journal.recent(9)), ("runs_key", lambda journal: accept(journal, 2))],
    ids=["read", "written"],
)
def test_whoever_asks_whether_all_is_well_learns_of_it_once_somebody_has_met_it(
    damaged: Callable[[str], Path], table: str, question: Callable[[SQLiteJournal], Awaitable[object]]
) -> None:
    path = damaged(table)
    before, met, after = asked(path, lambda journal: journal.counts(), question, lambda journal: journal.counts())
    assert before == ""
    assert met.endswith("database disk image is malformed")
    assert after.startswith(f"the journal {path} is damaged (database disk image is malformed); let `path` under")


@pytest.mark.parametrize("table", ["deliveries", "runs_key", "pauses"])
def test_whoever_looks_at_every_page_finds_it(damaged: Callable[[str], Path], table: str) -> None:
    (found,) = asked(damaged(table), lambda journal: journal.examine())
    assert "damaged" in found or "malformed" in found


def test_a_sound_one_is_sound(tmp_path: Path) -> None:
    assert asked(tmp_path / "j", lambda journal: journal.examine(), lambda journal: journal.counts()) == ["", ""]


def test_a_server_whose_queue_is_damaged_does_not_start(damaged: Callable[[str], Path]) -> None:
    path = damaged("runs")
    for _ in range(2):  # and lets go of its lock
        with pytest.raises(
            StartupError, match=f"^the journal .* cannot be opened: database disk image is mal.*{ADVICE}"
        ):
            SQLiteJournal(path)
