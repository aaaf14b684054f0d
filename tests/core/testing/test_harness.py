"""The harness is a whole server: what a plugin's author asserts with it holds in production."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.server_support import CONFIGURATION, Recorder, deliver, plugin, sender

from duct_tape.errors import ConfigurationError
from duct_tape.retry import Retry
from duct_tape.testing import Harness

FLAGS = """
[triggers.deploy]
action = "touch-file"
[plugins.touch-file]
expect_listener = false
[plugins.sender]
"""


def test_a_delivery_becomes_a_run_and_a_flag(tmp_path: Path) -> None:
    with Harness(tmp_path, FLAGS, plugins={"sender": sender()}) as harness:
        answer = harness.post("sender", {"delivery": "d-1", "applications": ["b", "a"]}, {"signature": "good"})
        harness.settle()
        runs = harness.runs()
    assert answer.status_code == 202
    assert [(run.application, run.state) for run in runs] == [("b", "done"), ("a", "done")]
    assert list(harness.flags()) == ["a", "b"]
    assert f'"run": "{runs[1].id}"' in harness.flags()["a"]


def test_a_body_is_sent_as_it_is_or_as_json(tmp_path: Path) -> None:
    bodies: list[bytes] = []

    def verify(delivery: Any) -> None:
        bodies.append(delivery.body)

    with Harness(tmp_path, FLAGS, plugins={"sender": sender(verify=verify)}) as harness:
        for body in (b"raw", "text", {"a": 1}, None):
            harness.post("sender", body)
    assert bodies == [b"raw", b"text", b'{"a": 1}', b"null"]


def test_a_second_one_in_the_same_folder_is_a_restart(tmp_path: Path) -> None:
    for number in range(2):
        with Harness(tmp_path, FLAGS, plugins={"sender": sender()}) as harness:
            assert deliver(harness, f"d-{number}").status_code == 202
            harness.settle()
            assert len(harness.runs()) == number + 1


@pytest.mark.parametrize("error", [ValueError("no"), OSError("busy")])
def test_failed_attempts_are_repeated_nearly_at_once(tmp_path: Path, error: Exception) -> None:
    def perform(run: Any) -> None:
        raise error

    recorder = Recorder(perform)
    plugins = {"recorder": recorder.module, "sender": sender()}
    with Harness(tmp_path, CONFIGURATION, plugins=plugins) as harness:
        deliver(harness)
        harness.settle()
        (run,) = harness.runs()
        assert (run.state, run.attempts) == ("failed", len(recorder.runs))
    assert len(recorder.runs) >= 3
    with Harness(tmp_path, CONFIGURATION, plugins=plugins, retry=Retry(attempts=1, age=0.0)) as harness:
        deliver(harness)
        harness.settle()
        assert [run.attempts for run in harness.runs()][1:] == [1]


def test_waiting_for_what_never_ends_is_a_timeout(tmp_path: Path) -> None:
    recorder = Recorder(lambda run: asyncio.Event().wait())
    text = f"[server]\nshutdown_timeout = 0.02\n{CONFIGURATION}"
    with Harness(tmp_path, text, plugins={"recorder": recorder.module, "sender": sender()}) as harness:
        deliver(harness)
        with pytest.raises(TimeoutError):
            harness.settle(0.01)


def test_instances_say_what_became_of_them(tmp_path: Path) -> None:
    with Harness(tmp_path, "[plugins.mine]", plugins={"mine": plugin(api=None)}) as harness:
        assert harness.instance("mine").failed_stage == "register"
        with pytest.raises(KeyError):
            harness.instance("other")


def test_a_wrong_configuration_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no plugin `mine` is installed"):
        Harness(tmp_path, "[plugins.mine]")


def test_outside_the_with_statement_nothing_runs(tmp_path: Path) -> None:
    harness = Harness(tmp_path, "")
    for use in (lambda: harness.client, harness.runs, harness.settle):
        with pytest.raises(RuntimeError, match="use the harness in a `with` statement"):
            use()
    with harness:
        assert harness.client.get("/readyz").status_code == 200
    assert harness.flags() == {}
