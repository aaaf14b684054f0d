"""Receiving, row by row of the HTTP contract, with an integration without cryptography."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import pytest
from tests.server_support import CONFIGURATION, Recorder, decide, deliver, parse, sender

from duct_tape.api import (
    MalformedError,
    PermanentError,
    PluginError,
    Runs,
    RunState,
    SignatureError,
    UnsupportedMediaError,
)
from duct_tape.testing import Harness

Start = Callable[..., Harness]


@pytest.fixture
def start(ducttape: Start) -> Start:
    def started(text: str = "", recorder: Recorder | None = None, **functions: Callable[..., Any]) -> Harness:
        plugins = {"recorder": (recorder or Recorder()).module, "sender": sender(**functions)}
        return ducttape(text + CONFIGURATION, plugins=plugins)

    return started


def test_something_to_do_is_202_with_its_runs(start: Start) -> None:
    harness = start()
    answer = deliver(harness, "d-1", applications=["a", "b"], title="v1")
    runs = harness.runs()
    assert answer.status_code == 202
    assert answer.json() == {
        "status": "accepted",
        "delivery": "d-1",
        "runs": [{"id": run.id, "application": run.application, "trigger": "deploy"} for run in runs],
    }
    assert [run.application for run in runs] == ["a", "b"]


def test_nothing_to_do_is_200_with_a_reason(start: Start) -> None:
    answer = deliver(start(), event="issues")
    assert (answer.status_code, answer.json()) == (
        200, {"status": "ignored", "delivery": "d-1", "reason": "issues is not used"},
    )  # fmt: skip


def test_no_runs_at_all_is_nothing_to_do(start: Start) -> None:
    assert deliver(start(), applications=[]).json()["status"] == "ignored"


def test_seen_before_is_200_with_the_runs_of_then(start: Start) -> None:
    harness = start()
    first = deliver(harness, "d-1", key="k").json()["runs"][0]["id"]
    for delivery in ("d-1", "d-2"):
        answer = deliver(harness, delivery, key="k")
        assert (answer.status_code, answer.json()) == (
            200, {"status": "duplicate", "delivery": delivery, "runs": [{"id": first}]},
        )  # fmt: skip


def test_after_a_failed_run_a_redelivery_runs_again(start: Start) -> None:
    errors = [PermanentError("no"), None]

    def perform(run: Any) -> None:
        if error := errors.pop(0):
            raise error

    harness = start(recorder=Recorder(perform))
    for _ in range(2):
        assert deliver(harness, "d-1", key="k").status_code == 202
        harness.settle()
    assert [run.state for run in harness.runs()] == [RunState.FAILED, RunState.DONE]


def test_an_older_release_is_ignored_with_a_reason(start: Start) -> None:
    harness = start()
    deliver(harness, "d-2", key="2", version="2026-02-01T00:00:00Z", title="v2")
    answer = deliver(harness, "d-1", key="1", version="2026-01-01T00:00:00Z", title="v1")
    assert (answer.status_code, answer.json()["status"]) == (200, "ignored")
    assert answer.json()["reason"] == "v1 is older than v2, which was accepted before for app"


def test_a_ping_is_a_pong(start: Start) -> None:
    answer = deliver(start(), event="ping")
    assert (answer.status_code, answer.json()) == (
        200, {"status": "pong", "delivery": "d-1", "configured": True, "message": "hello"},
    )  # fmt: skip


def test_a_wrong_signature_is_401_whatever_is_wrong(start: Start) -> None:
    harness = start()
    given: list[Any] = [{}, {"signature": ""}, {"signature": "bad"}, [("signature", "good"), ("signature", "good")]]
    answers = [
        harness.client.post("/integrations/sender", content=content, headers=headers)
        for headers in given
        for content in (b"{}", b"not JSON")
    ]
    assert {(answer.status_code, answer.content) for answer in answers} == {(401, b'{"status":"unauthorized"}')}
    assert harness.runs() == []


@pytest.mark.parametrize("body", [b"", b"not JSON", b"[]", b"{}", b'{"delivery": 3}', b"\xff"])
def test_what_is_not_the_shape_of_the_event_is_400(start: Start, body: bytes) -> None:
    answer = start().post("sender", body, {"signature": "good"})
    assert (answer.status_code, answer.json()["status"]) == (400, "malformed")
    assert answer.json()["reason"]


def test_an_unknown_media_type_is_415(start: Start) -> None:
    def parse(delivery: Any) -> NoReturn:
        raise UnsupportedMediaError("only JSON is read")

    answer = deliver(start(parse=parse))
    assert (answer.status_code, answer.json()) == (
        415, {"status": "unsupported media type", "reason": "only JSON is read"},
    )  # fmt: skip


def test_a_body_that_is_not_read_ends_the_connection(start: Start) -> None:
    harness = start("[server]\nmax_body = 100\n")
    answer = harness.post("sender", b"{}", {"Content-Length": "9999"})
    assert (answer.status_code, answer.json()) == (413, {"status": "too large"})
    assert answer.headers["Connection"] == "close"


def test_compression_is_looked_at_only_in_what_is_signed(start: Start) -> None:
    harness = start()
    assert harness.post("sender", b"{}", {"Content-Encoding": "gzip"}).status_code == 401
    answer = harness.post("sender", b"{}", {"Content-Encoding": "gzip", "signature": "good"})
    reason = "the body is compressed, and only a plain one is read"
    assert (answer.status_code, answer.json()) == (415, {"status": "unsupported media type", "reason": reason})


def test_one_large_body_too_many_is_503(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    harness = start("[server]\nmax_bodies = 1\n")
    assert harness.post("sender", b"x" * 200_000, {}).status_code == 503
    assert "unavailable, nothing was accepted: too many large requests at once" in caplog.messages
    assert deliver(harness).status_code == 202


def raises(error: BaseException) -> Callable[..., NoReturn]:
    def function(*_: object) -> NoReturn:
        raise error

    return function


ERRORS = [ValueError("x"), KeyError("x"), RecursionError(), SystemExit(1), PluginError("x"), PermanentError("x")]


@pytest.mark.parametrize("error", [*ERRORS, MalformedError("x"), UnsupportedMediaError("x")])
def test_a_verifier_that_fails_lets_nobody_in(start: Start, error: BaseException) -> None:
    answer = deliver(start(verify=raises(error)))
    assert (answer.status_code, answer.content) == (401, b'{"status":"unauthorized"}')


@pytest.mark.parametrize("error", [*ERRORS, SignatureError("x")])
@pytest.mark.parametrize("function", ["parse", "decide"])
def test_an_integration_that_fails_is_400_and_logged(
    start: Start, function: str, error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    answer = deliver(start(**{function: raises(error)}))
    assert (answer.status_code, answer.json()["reason"]) == (
        400, f"the integration cannot read it ({type(error).__name__})",
    )  # fmt: skip
    assert "the integration failed on a delivery" in caplog.messages


@pytest.mark.parametrize("function", ["parse", "decide"])
def test_an_integration_without_an_answer_is_400(start: Start, function: str) -> None:
    assert deliver(start(**{function: lambda value: None})).status_code == 400


def test_what_the_journal_cannot_hold_is_503(start: Start) -> None:
    answer = deliver(start(decide=lambda event: Runs(runs=decide(event).runs, title="\ud800")))  # type: ignore[union-attr]
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")


def test_a_plugin_that_is_off_behind_a_trigger_is_503(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    harness = start()
    harness.instance("recorder").failure = "broken"
    answer = deliver(harness)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert answer.json() == {"status": "unavailable", "reason": "nothing was accepted; send it again later"}
    assert caplog.messages[-1] == "unavailable, nothing was accepted: the plugin behind the trigger `deploy` is off"
    assert harness.runs() == []


async def _set(event: asyncio.Event) -> None:
    event.set()


@pytest.mark.parametrize("limit", ["max_waiting = 2", "max_waiting_bytes = 700"])
def test_a_queue_above_its_bound_is_503(start: Start, limit: str) -> None:
    release = asyncio.Event()

    async def perform(run: Any) -> None:
        await release.wait()

    harness = start(f"[journal]\n{limit}", recorder=Recorder(perform))
    answers = [deliver(harness, f"d-{number}") for number in range(4)]
    assert [answer.status_code for answer in answers] == [202, 202, 503, 503]
    assert answers[3].headers["Retry-After"] == "30"
    harness.call(lambda: _set(release))
    harness.settle()
    assert len(harness.runs()) == 2
    assert deliver(harness, "d-3").status_code == 202


def test_a_journal_that_cannot_write_is_503_and_later_it_works(start: Start) -> None:
    harness = start()
    with sqlite3.connect(harness.journal, isolation_level=None) as other:
        other.execute("CREATE TRIGGER full BEFORE INSERT ON deliveries BEGIN SELECT RAISE(FAIL, 'disk is full'); END")
        answer = deliver(harness)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
        other.execute("DROP TRIGGER full")
    other.close()
    assert deliver(harness).status_code == 202


def test_what_was_accepted_is_logged_without_its_headers(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    deliver(start(), "d-1", title="v1")
    assert any(message.startswith("accepted: v1 of acme/site for app (run ") for message in caplog.messages)
    assert "signature" not in json.dumps(caplog.messages)


def test_two_deliveries_at_once_make_one_run(start: Start) -> None:
    harness = start(parse=parse)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: deliver(harness, "same", key="k"), range(24)))
    assert sorted({answer.status_code for answer in answers}) == [200, 202]
    assert [answer.status_code for answer in answers].count(202) == 1
    harness.settle()
    assert len(harness.runs()) == 1


def test_a_large_body_is_understood_beside_the_event_loop(start: Start) -> None:
    threads: set[str] = set()

    def parsed(delivery: Any) -> Any:
        threads.add(threading.current_thread().name)
        return parse(delivery)

    harness = start(parse=parsed)
    assert deliver(harness, "small").status_code == 202
    (loop,) = threads
    assert deliver(harness, "large", more="x" * 300_000).status_code == 202
    assert len(threads - {loop}) == 1
    assert harness.post("sender", b"x" * 300_000, {"signature": "good"}).status_code == 400
    assert harness.post("sender", b"x" * 300_000).status_code == 401


def test_a_fault_of_ours_is_503_and_logged(
    start: Start, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("duct_tape.web.receive.new_run", raises(ZeroDivisionError()))
    answer = deliver(start())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert caplog.messages[-1] == "a fault of Duct Tape's own: nothing was accepted"
