"""What holds for the tests of the core."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is no failure; what must be fast has a test of its own that says so.
settings.register_profile("core", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("core")


@pytest.fixture(autouse=True)
def log_of_its_own() -> Iterator[None]:
    """Commands switch the log off for their process, which here goes on."""
    yield
    logging.disable(logging.NOTSET)
