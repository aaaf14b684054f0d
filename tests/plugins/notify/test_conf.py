"""The plugin's table: what it refuses, with the key and without a URL."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from duct_tape.api import RunState, Secret
from duct_tape.assembly import assemble
from duct_tape_notify.conf import NotifyConf, Outcome
from duct_tape_notify.history import BAD

URL = "json://user:t0psecret@127.0.0.1:9/"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CHAT_URL", URL)
    return tmp_path / "duct_tape.toml"


def problems(place: Path, text: str) -> list[str]:
    urls = "" if "urls" in text else 'urls = [{ env = "CHAT_URL" }]\n'
    place.write_text(f"[plugins.notify]\n{urls}{text}")
    found = [str(problem).replace(f" ({place})", "") for problem in assemble(place).problems]
    assert not any("t0psecret" in problem for problem in found)
    return found


def test_a_url_is_enough(place: Path) -> None:
    assert problems(place, "") == []
    instance = assemble(place).instance("notify")
    assert instance is not None
    conf: NotifyConf = instance.config
    assert conf.on == ("failed", "timed out", "refused", "lost", "recovered")
    assert "t0psecret" not in repr(conf)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("urls = []", ["`urls` is empty, in plugins.notify.urls; nobody would be told anything"]),
        (f'urls = ["{URL}"]', ['expected { env = "NAME" } or { file = "PATH" }, in plugins.notify.urls[0]; a secret is '
         "never written here itself"]),
        ("on = []", ["`on` is empty, in plugins.notify.on; nobody would be told anything"]),
        ("lines = 1000", ["expected a number from 0 to 200, in plugins.notify.lines"]),
        ("repeat_after = -1", ["expected a number of seconds, 0 or more, in plugins.notify.repeat_after"]),
        ('applications = [".."]', ["'..' cannot be an application: it begins with '.', in plugins.notify."
         "applications[0]"]),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused(place: Path, text: str, said: list[str]) -> None:
    assert problems(place, text) == said


def test_an_unknown_outcome_is_refused_with_a_suggestion(place: Path) -> None:
    [problem] = problems(place, 'on = ["failure"]')
    assert problem.startswith('expected one of "failed", "timed out", ')
    assert problem.endswith(" in plugins.notify.on[0]; did you mean `failed`?")


@pytest.mark.parametrize("key", ["title", "message"])
def test_templates_are_tried_with_all_kinds_of_runs(place: Path, key: str) -> None:
    [problem] = problems(place, f'{key} = "{{{{ version }}}}"')
    assert "the template cannot be used: template '{{ version }}': 'version' is undefined" in problem
    assert f"in plugins.notify.{key}; there are: application, detail, duration, " in problem
    # Fine for a release, and not for a run without one.
    [problem] = problems(place, f'{key} = "{{{{ tag.split(".")[1] }}}}"'.replace('"."', "'.'"))
    assert "the template cannot be used" in problem


def test_every_outcome_is_a_state_in_which_a_run_ends() -> None:
    passing = {RunState.ACCEPTED, RunState.FLAGGED, RunState.DEPLOYING, RunState.DISCARDED}
    assert set(get_args(Outcome)) == {state.value for state in set(RunState) - passing} | {"recovered"}


def test_a_recovery_follows_the_failures_that_are_told() -> None:
    urls = (Secret("x", b"json://h"),)
    assert NotifyConf(urls=urls, on=("failed", "recovered")).bad == {RunState.FAILED}
    assert NotifyConf(urls=urls, on=("recovered",)).bad == BAD
