"""Both forms of the listener, and a copy of the scripts.

Each of the seed pipeline's faults has a test in one of the files ``test_conformance_….py``: fired twice, lost during a
run, lost while down, names as words, options, patterns and paths, standard input eaten, one hung deploy in the way of
all others, …
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.scripts_support import Checkout
from tests.listener_support import COMMANDS, Host


@pytest.fixture(params=sorted(COMMANDS))
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Host]:
    """A test that asks for it runs twice: with ``duct-tape listen`` and with ``scripts/listen``."""
    host = Host(tmp_path, request.param)
    yield host
    host.close()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)
