"""What holds for every test."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is no failure; what must be fast has a test of its own that says so.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("here")

# Not part of the repository: real payloads may lie beside it.
OPTIONAL = ("real payloads",)


@pytest.fixture(autouse=True)
def unchanged_environment() -> Iterator[None]:
    """No test leaves a variable behind for the next one."""
    before = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV"))}
    yield
    after = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV"))}
    assert after == before


@pytest.fixture(autouse=True)
def log_of_its_own() -> Iterator[None]:
    """Commands switch the log off for their process, which here goes on."""
    yield
    logging.disable(logging.NOTSET)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """More than there are processors: most of the slow tests wait for what another process does."""
    return min(2 * (os.cpu_count() or 1), 8)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI nothing is skipped: a missing program is a fault of .ci/run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not os.environ.get("CI") or reporter is None:
        return
    skipped = [
        report for report in reporter.stats.get("skipped", []) if not any(o in str(report.longrepr) for o in OPTIONAL)
    ]
    if skipped:
        reporter.write_line(f"error: {len(skipped)} tests were skipped, which CI does not allow")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
