"""The interface: every engine has exactly its methods, with its arguments."""

from __future__ import annotations

import inspect

import pytest

from duct_tape.journal import Acceptance, Journal
from duct_tape.journal.sqlite import SQLiteJournal

METHODS = [name for name in vars(Journal) if not name.startswith("_")]


def test_an_acceptance_is_empty_unless_said_otherwise() -> None:
    assert Acceptance() == Acceptance(runs=(), duplicates=(), older="")


@pytest.mark.parametrize("engine", [SQLiteJournal])
@pytest.mark.parametrize("name", METHODS)
def test_an_engine_has_every_method_of_the_interface(engine: type, name: str) -> None:
    wanted, found = getattr(Journal, name), getattr(engine, name)
    assert inspect.signature(found) == inspect.signature(wanted)
    assert inspect.iscoroutinefunction(found) == inspect.iscoroutinefunction(wanted)


@pytest.mark.parametrize("engine", [SQLiteJournal])
def test_an_engine_has_nothing_more(engine: type) -> None:
    assert {name for name in vars(engine) if not name.startswith("_")} == set(METHODS)
