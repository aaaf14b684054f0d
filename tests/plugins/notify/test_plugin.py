"""A whole server with the plugin, and real receivers on this machine."""

from __future__ import annotations

import email
import email.policy
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.notify_support import Mailbox, Web, wait_for
from tests.server_support import Recorder, deliver, sender

from duct_tape.api import Outcome, PermanentError, Run, RunState
from duct_tape.cli.check import check
from duct_tape.testing import Harness
from duct_tape_notify.notifier import Timing

CONFIGURATION = """
[triggers.deploy]
action = "record"
[plugins.recorder]
[plugins.sender]
[plugins.notify]
urls = [{ env = "CHAT_URL" }]
"""


class Deploys:
    """What becomes of the next runs: an exception, or an outcome."""

    def __init__(self) -> None:
        self.bad = True
        self.flagged = False

    def __call__(self, run: Run) -> Outcome | None:
        if self.flagged:
            return Outcome(state=RunState.FLAGGED, detail="the flag is there")
        if self.bad:
            raise PermanentError("the registry is gone")
        return None


@pytest.fixture
def deploys() -> Deploys:
    return Deploys()


@pytest.fixture
def start(
    ducttape: Callable[..., Harness], deploys: Deploys, web: Web, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Harness]:
    """Start a server whose messages go to ``web``, or to another URL."""

    def started(more: str = "", url: str = "", **chosen: Any) -> Harness:
        monkeypatch.setenv("CHAT_URL", url or web.url())
        monkeypatch.setattr("duct_tape_notify.plugin.TIMING", Timing(pauses=(0.01, 0.01), grace=0.5))
        plugins = {"recorder": Recorder(deploys).module, "sender": sender()}
        return ducttape(CONFIGURATION + more, plugins=plugins, **chosen)

    return started


def answer(harness: Harness, state: str, **more: Any) -> None:
    """The listener's answer to the latest run."""
    run = harness.runs()[-1]
    result = {"run": run.id, "application": run.application, "state": state, **more}
    (harness.volume / ".results").mkdir(exist_ok=True)
    (harness.volume / ".results" / f"{run.id}.json").write_text(json.dumps(result))


def test_a_failed_deploy_is_told_with_its_version_duration_and_last_lines(
    start: Callable[..., Harness], deploys: Deploys, web: Web
) -> None:
    deploys.flagged = True
    harness = start("lines = 2\n")
    deliver(harness)
    harness.settle()
    answer(harness, "failed", exit_code=3, duration=12.34, output="one\ntwo\n\x1b[31mthree\x1b[0m\n")
    [message] = web.wait(1)
    assert message["title"] == "app v1: failed"
    assert message["type"] == "failure"
    run = harness.runs()[-1].id
    assert message["message"] == (
        f"bin/deploy ended with exit code 3 after 12.3 s.\n\nrun {run} of acme/site\n\nLast lines:\ntwo\nthree"
    )


def test_hostile_output_is_harmless(start: Callable[..., Harness], deploys: Deploys, web: Web) -> None:
    deploys.flagged = True
    harness = start()
    deliver(harness)
    harness.settle()
    hostile = (
        "{{ payload }} {% if 1 %}\n@everyone <!channel> [bank](https://evil.example)\n<b>bold</b>\n" + "x" * 10_000
    )
    answer(harness, "failed", output=hostile)
    text = web.wait(1)[0]["message"]
    # Template syntax of a log is never compiled; the rest is there to be read, and does nothing.
    assert "\n{{ payload }} {% if 1 %}\n@\u200beveryone <\u200b!channel> [bank]\u200b(https://evil.example)\n" in text
    assert "\n" + "x" * 199 + "…" in text
    assert not any(piece in text for piece in ("@everyone", "<!", "](", "<b>"))
    assert len(text) < 1000


def test_the_run_does_not_wait_for_a_receiver_that_hangs(
    start: Callable[..., Harness], deploys: Deploys, web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    web.hold.set()
    harness = start()
    deliver(harness)
    web.wait(1)
    # The receiver has the message and says nothing. Runs end all the same, and the server is ready.
    deploys.bad = False
    deliver(harness, "d-2")
    harness.settle()
    assert [run.state for run in harness.runs()] == ["failed", "done"]
    assert harness.client.get("/readyz").status_code == 200
    assert web.hold.is_set()
    began = time.monotonic()
    harness.__exit__(None, None, None)
    assert time.monotonic() - began < 4
    assert "the server stopped before everybody was told: app v1 failed" in caplog.text
    harness.__enter__()


def test_a_receiver_that_answers_500_is_asked_again(
    start: Callable[..., Harness], web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    web.codes = [500, 503]
    caplog.set_level("INFO")
    deliver(start())
    assert len(web.wait(3)) == 3
    assert "not delivered" not in caplog.text


def test_a_receiver_that_is_down_costs_one_line_and_the_server_stays_ready(
    start: Callable[..., Harness], web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    web.codes = [500] * 3
    harness = start()
    deliver(harness)
    web.wait(3)
    expected = "app v1 failed was not delivered after 3 attempts: it answered 500"
    wait_for(lambda: expected in caplog.text)
    assert [message for message in caplog.messages if "not delivered" in message] == [
        f"JSON at 127.0.0.1 (urls[0]): {expected}"
    ]
    assert harness.client.get("/readyz").status_code == 200
    health = harness.client.app.state.health  # type: ignore[attr-defined]
    [told] = [check for check in harness.call(health.checks) if check.name == "messages of notify"]
    assert told.healthy
    assert told.detail.startswith(f"JSON at 127.0.0.1 (urls[0]): {expected} (20")
    # Nobody has learned of the first failure, so the second one is told, with the count.
    deliver(harness, "d-2")
    assert "The same happened 2 times since" in web.wait(4)[-1]["message"]


def test_the_same_failure_is_told_once_and_its_recovery_too(
    start: Callable[..., Harness], deploys: Deploys, web: Web
) -> None:
    harness = start()
    for delivery in ("d-1", "d-2", "d-3"):
        deliver(harness, delivery)
        harness.settle()
    deploys.bad = False
    for delivery in ("d-4", "d-5"):
        deliver(harness, delivery)
        harness.settle()
    deploys.bad = True
    deliver(harness, "d-6")
    first, second, third = web.wait(3)
    assert [first["title"], second["title"], third["title"]] == [
        "app v1: failed",
        "app v1: recovered",
        "app v1: failed",
    ]
    assert second["type"] == "success"
    assert "Before it, 3 runs failed since " in second["message"]
    assert "the registry is gone" in first["message"]


def test_a_restart_forgets_nothing(start: Callable[..., Harness], deploys: Deploys, web: Web, tmp_path: Path) -> None:
    harness = start()
    deliver(harness)
    web.wait(1)
    harness.__exit__(None, None, None)
    with harness:
        deliver(harness, "d-2")
        harness.settle()
        deploys.bad = False
        deliver(harness, "d-3")
        messages = web.wait(2)
    harness.__enter__()
    assert [message["title"] for message in messages] == ["app v1: failed", "app v1: recovered"]
    assert "Before it, 2 runs failed since " in messages[1]["message"]


def test_instances_have_filters_and_words_of_their_own(
    start: Callable[..., Harness], deploys: Deploys, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGER_URL", web.url("form"))
    harness = start(
        'on = ["done"]\n[plugins.pager]\nuse = "notify"\nurls = [{ env = "PAGER_URL" }]\napplications = ["shop"]\n'
        'title = "{{ state | upper }}"\nmessage = "{{ application }}: {{ detail }}"\n'
    )
    deliver(harness, applications=["app", "shop"])
    # Failures of app are nobody's, good runs of both the chat's.
    assert web.wait(1) == ["version=1.0&title=FAILED&message=shop%3A+the+registry+is+gone&type=failure"]
    deploys.bad = False
    deliver(harness, "d-2", applications=["app"])
    assert web.wait(2)[1]["title"] == "app v1: done"


def test_ntfy(start: Callable[..., Harness], web: Web) -> None:
    deliver(start(url=f"ntfy://127.0.0.1:{web.port}/deploys"))
    [message] = web.wait(1)
    assert (message["topic"], message["title"]) == ("deploys", "app v1: failed")


def test_mail(start: Callable[..., Harness], mail: tuple[Mailbox, int]) -> None:
    mailbox, port = mail
    deliver(start(url=f"mailto://127.0.0.1:{port}?from=deploys@example.com&to=team@example.com"))
    assert mailbox.arrived.wait(15)
    [content] = mailbox.mails
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert message["Subject"] == "app v1: failed"
    assert message["To"] == "team@example.com"
    body = message.get_body(("plain", "html"))
    assert body is not None
    assert "the registry is gone" in body.get_content()


def test_without_apprise_the_plugin_is_off_and_says_what_to_install(
    start: Callable[..., Harness], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    instance = start().instance("notify")
    assert instance.failed_stage == "setup"
    assert instance.failure == "plugin notify needs apprise: pip install 'duct-tape-plugins[notify]'"


def test_a_url_that_cannot_be_used_is_told_at_the_start(
    start: Callable[..., Harness], caplog: pytest.LogCaptureFixture
) -> None:
    harness = start(url="slak://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ")
    wait_for(lambda: "urls[0]: its URL cannot be used" in caplog.text)
    deliver(harness)
    wait_for(lambda: "app v1 failed was not delivered: apprise knows no service `slak`" in caplog.text)
    assert "TIiajkdnlazkcOXrIdevi7FQ" not in caplog.text


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("slak://T1/A1/token0token0", "apprise knows no service `slak`: did you mean `slack`?"),
        ("slack://token0token0", "it is not complete, or no URL of Slack: apprise's page on that shows one"),
        ("token0token0token0", "it is not a URL: expected `service://…`"),
        ("https://token0token0.example/", "apprise does not know whose web address this is: its page on the service "
         "has a URL for it"),
        ("mqtt://token0token0@localhost/x", "`mqtt` needs more than is installed: pip install 'paho-mqtt>=2.1.0'"),
    ],
)  # fmt: skip
def test_check_finds_urls_that_cannot_be_used_and_does_not_show_them(
    start: Callable[..., Harness], url: str, why: str
) -> None:
    [problem] = check(start(url=url).assembly)
    assert problem.message == f"no message can be sent to this URL: {why},"
    assert problem.path == "plugins.notify.urls[0]"
    assert problem.file.endswith("duct_tape.toml")
    assert "token0" not in str(problem)


def test_check_is_content_with_good_ones(start: Callable[..., Harness]) -> None:
    assert check(start().assembly) == []
