"""A volume and applications for every test of the listener."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.listener_support import Host

from duct_tape.listener.applications import Applications
from duct_tape.listener.spool import Spool
from duct_tape.listener.sweep import Sweep


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    host = Host(tmp_path)
    yield host
    host.close()


@pytest.fixture
def spool(host: Host) -> Iterator[Spool]:
    spool = Spool.open(host.volume)
    yield spool
    spool.close()


@pytest.fixture
def applications(host: Host) -> Applications:
    return Applications(host.applications)


@pytest.fixture
def sweep() -> Iterator[Sweep]:
    sweep = Sweep(1000)
    yield sweep
    sweep.close()
