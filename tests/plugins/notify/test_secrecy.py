"""Nothing of a URL gets out, whatever happens and however much is logged."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import pytest
from tests.notify_support import TOKEN, Web, wait_for
from tests.server_support import Recorder, deliver, sender

from duct_tape.api import PermanentError, Run
from duct_tape.cli.check import check
from duct_tape.testing import Harness
from duct_tape_notify.notifier import Timing

CONFIGURATION = """
[triggers.deploy]
action = "record"
[plugins.recorder]
[plugins.sender]
[plugins.notify]
urls = [{ env = "A_URL" }, { env = "B_URL" }, { env = "C_URL" }, { env = "D_URL" }, { env = "E_URL" }]
"""


def fails(run: Run) -> None:
    raise PermanentError("the registry is gone")


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Every logger at its lowest level, those of apprise and its libraries too."""
    names = ("apprise", "urllib3", "urllib3.connectionpool", "requests", "requests_oauthlib", "asyncio", "notify")
    before = {name: logging.getLogger(name).level for name in names}
    caplog.set_level(1)
    for name in names:
        logging.getLogger(name).setLevel(1)
    yield caplog
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


def test_no_token_is_in_any_log_line_health_check_or_problem(
    ducttape: Callable[..., Harness],
    web: Web,
    monkeypatch: pytest.MonkeyPatch,
    everything_logged: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("A_URL", web.url())
    monkeypatch.setenv("B_URL", f"json://{TOKEN}:{TOKEN}@127.0.0.1:1/{TOKEN}?+X-Token={TOKEN}")
    monkeypatch.setenv("C_URL", f"mailto://user:{TOKEN}@127.0.0.1:1?from=a@example.com&to=b@example.com")
    monkeypatch.setenv("D_URL", f"slack://{TOKEN}")
    monkeypatch.setenv("E_URL", f"json://127.0.0.1:{web.port}/fails/{TOKEN}?token={TOKEN}")
    monkeypatch.setattr("duct_tape_notify.plugin.TIMING", Timing(pauses=(0.01,)))
    web.codes = [500, 500, 500, 500]
    harness = ducttape(CONFIGURATION, plugins={"recorder": Recorder(fails).module, "sender": sender()})
    deliver(harness)
    # It does happen, and is told.
    wait_for(lambda: sum("was not delivered" in line for line in everything_logged.messages) == 5)
    health = harness.client.app.state.health  # type: ignore[attr-defined]
    shown = [repr(harness.instance("notify")), repr(harness.instance("notify").context)]
    harness.__exit__(None, None, None)
    shown += [str(problem) for problem in check(harness.assembly)]
    harness.__enter__()
    shown += [repr(check) for check in harness.call(health.checks)]
    lines = [record.getMessage() + str(record.exc_info or "") for record in everything_logged.records]
    assert len(web.requests) == 4
    assert TOKEN not in "\n".join([*lines, *shown, *capfd.readouterr()])
