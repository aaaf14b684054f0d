"""The public application: its own pages, its routes, and what lives as long as it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
from tests.server_support import CONFIGURATION, Recorder, deliver, plugin, sender

from duct_tape import __version__
from duct_tape.assembly import assemble
from duct_tape.errors import JournalError
from duct_tape.testing import Harness
from duct_tape.web.app import build_app

Start = Callable[..., Harness]


@pytest.fixture
def harness(ducttape: Start) -> Harness:
    return ducttape(CONFIGURATION, plugins={"recorder": Recorder().module, "sender": sender()})


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/", {"name": "duct-tape", "version": __version__}),
        ("/healthz", {"status": "ok"}),
        ("/readyz", {"status": "ready"}),
    ],
)
def test_the_pages_of_the_server(harness: Harness, path: str, body: dict[str, str]) -> None:
    answer = harness.client.get(path)
    assert (answer.status_code, answer.json()) == (200, body)
    head = harness.client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    refused = harness.client.post(path)
    assert (refused.status_code, refused.json()) == (405, {"status": "method not allowed"})
    assert set(refused.headers["Allow"].split(", ")) == {"GET", "HEAD"}


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_an_integration_takes_posts_only(harness: Harness, method: str) -> None:
    answer = harness.client.request(method, "/integrations/sender")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "path",
    [
        "/integrations", "/integrations/", "/integrations/unknown", "/integrations/sender/", "/integrations/sender/x",
        "/integrations/recorder", "//integrations/sender", "/integrations//sender", "/INTEGRATIONS/sender", "/healthz/",
        "/readyz/", "/favicon.ico", "/integrations/sender%2f", "/integrations/../healthz/",
    ],
)  # fmt: skip
def test_any_other_path_is_404_and_no_redirect(harness: Harness, path: str) -> None:
    for method in ("GET", "POST"):
        answer = harness.client.request(method, path)
        assert (answer.status_code, answer.json()) == (404, {"status": "not found"})
        assert "location" not in answer.headers


def test_not_ready_says_nothing_more(harness: Harness) -> None:
    harness.instance("sender").failure = "the password is hunter2"
    answer = harness.client.get("/readyz")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert answer.content == b'{"status":"not ready"}'


def test_runs_that_were_not_finished_are_taken_up_at_the_next_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    never = Recorder(lambda run: asyncio.Event().wait())
    text = f"[server]\nshutdown_timeout = 0.02\n{CONFIGURATION}"
    with Harness(tmp_path, text, plugins={"recorder": never.module, "sender": sender()}) as harness:
        assert deliver(harness).status_code == 202
    recorder = Recorder()
    with Harness(tmp_path, text, plugins={"recorder": recorder.module, "sender": sender()}) as harness:
        harness.settle()
        assert [run.state for run in harness.runs()] == ["done"]
    assert recorder.applications == ["app"]
    assert "taking up 1 runs that were not finished" in caplog.messages


def test_observers_are_told_of_the_last_runs_before_the_end(tmp_path: Path) -> None:
    seen: list[str] = []

    async def on_run(ctx: object, run: Any) -> None:
        seen.append(str(run.state))

    plugins = {"recorder": Recorder().module, "sender": sender(), "mine": plugin(on_run=on_run)}
    with Harness(tmp_path, f"{CONFIGURATION}[plugins.mine]", plugins=plugins) as harness:
        deliver(harness)
    assert seen == ["accepted", "done"]


def test_what_keeps_the_server_from_starting_is_kept_for_the_message(tmp_path: Path) -> None:
    class Journal:
        async def with_listener(self) -> NoReturn:
            raise JournalError("the disk is gone")

        async def close(self) -> None:
            closed.append(True)

    closed: list[bool] = []
    path = tmp_path / "duct_tape.toml"
    path.write_text("")
    journal: Any = Journal()
    app = build_app(assemble(path), journal)

    async def main() -> None:
        async with app.router.lifespan_context(app):
            raise AssertionError

    with pytest.raises(JournalError):
        asyncio.run(main())
    assert str(app.state.failure) == "the disk is gone"
    assert closed == [True]
