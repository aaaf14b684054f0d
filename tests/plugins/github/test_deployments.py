"""Runs in GitHub's words: a pure mapping, and one line that fits and holds nothing odd."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from tests.plugins.github.api_support import run
from tests.plugins.github.fake_github import STATES as GITHUBS

from duct_tape.api import DuctTapeError, Result, Run, RunState, Sample, Template
from duct_tape_github import receive
from duct_tape_github.deployments import (
    STATES,
    deployment_body,
    description,
    environment,
    link,
    plain,
    ref,
    status_body,
)
from duct_tape_github.missed import delivery
from duct_tape_github.sample import COMMIT, payload_of, release_payload

if TYPE_CHECKING:
    from tests.plugins.github.conftest import GitHub


def made(state: RunState = RunState.DEPLOYED, **members: Any) -> Run:
    event = receive.parse(delivery("release", "d-1", release_payload("acme/site", tag="v1.2.3")))
    return run("run-1", event, state=state, **members)


def result(output: str = "", code: int | None = 0, duration: float | None = 12.34) -> Result:
    return Result(
        run="run-1", application="site.example.com", state="failed", exit_code=code, duration=duration, output=output
    )


def test_every_state_has_one_of_githubs() -> None:
    assert STATES.keys() == set(RunState)
    assert set(STATES.values()) <= GITHUBS


def test_a_deployment_waits_for_nothing_and_merges_nothing(github: GitHub) -> None:
    assert deployment_body(made(), github.conf()) == {
        "ref": "v1.2.3",
        "task": "deploy",
        "auto_merge": False,
        "required_contexts": [],
        "environment": "production",
        "production_environment": True,
        "description": "deploy of site.example.com",
        "payload": {"run": "run-1", "application": "site.example.com", "trigger": "deploy"},
    }


def test_the_environment_is_a_template_and_a_repository_has_its_own(github: GitHub) -> None:
    one = github.confs({"acme/site": {"application": "x"}}, environment=Template("{{ application }}"))
    assert environment(made(), one) == "site.example.com"
    body = deployment_body(made(), github.conf(environment=Template("test")))
    assert (body["environment"], body["production_environment"]) == ("test", False)
    with pytest.raises(DuctTapeError, match="colour"):
        environment(made(), github.conf(environment=Template("{{ vars.colour }}")))


@pytest.mark.parametrize(
    ("kind", "tag", "expected"),
    [
        ("release", "v1", "v1"),
        ("tag", "v1", "v1"),
        ("branch", "main", COMMIT),
        ("build", "main", COMMIT),
        ("package", "stable", COMMIT),
    ],
)
def test_a_deployment_is_of_what_was_deployed(kind: str, tag: str, expected: str) -> None:
    name, payload = payload_of(Sample(repository="acme/site", kind=kind, tag=tag))
    event = receive.parse(delivery(name, "d-1", payload), {kind})
    assert ref(run("run-1", event)) == expected
    assert ref(run("run-1", evolve(event, release=None))) == ""


def test_an_image_without_a_commit_is_nothing_that_github_knows() -> None:
    name, payload = payload_of(Sample(repository="acme/site", kind="package", tag="stable"))
    payload["package"]["package_version"]["container_metadata"]["labels"] = None
    assert ref(run("run-1", receive.parse(delivery(name, "d-1", payload), {"package"}))) == ""


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (made(RunState.ACCEPTED, detail="TransientError: the secret is 42"), "accepted"),
        (made(RunState.DEPLOYING, result=result("half way", None, None)), "deploying"),
        (made(result=result("all good\n\n")), "deployed after 12.3 s: all good"),
        (
            made(RunState.FAILED, result=result("one\r\n\x1b[31mno such host\x1b[0m\n", 3)),
            "failed with exit code 3 after 12.3 s: no such host",
        ),
        (made(RunState.TIMED_OUT, result=result("", 143, 600.0)), "timed out with exit code 143 after 600.0 s"),
        (made(RunState.REFUSED, detail="calendar: no deploys on Fridays"), "refused: calendar: no deploys on Fridays"),
        (made(RunState.LOST, detail="it did not end within 120 minutes"), "lost: it did not end within 120 minutes"),
    ],
)
def test_a_state_in_one_line(given: Run, text: str) -> None:
    assert description(given, output=True) == text


def test_without_output_only_facts_are_told() -> None:
    failed = made(RunState.FAILED, result=result("the password is 42", 3), detail="bin/deploy failed: 42")
    assert description(failed, output=False) == "failed with exit code 3 after 12.3 s"
    assert description(made(RunState.FAILED, detail="OSError: /home/me"), output=False) == "failed"


def test_a_long_line_is_cut() -> None:
    text = description(made(RunState.FAILED, result=result("x" * 500, 1)), output=True)
    assert len(text) == 140
    assert text.endswith("x…")


@given(st.text() | st.text(st.characters(codec=None)), st.sampled_from(list(RunState)), st.booleans())
def test_any_output_gives_a_line_that_fits(output: str, state: RunState, told: bool) -> None:
    for one in (made(state, result=result(output, 1)), made(state, detail=output)):
        line = description(one, output=told)
        assert len(line) <= 140
        assert not any(unicodedata.category(character)[0] == "C" for character in line)
        assert line == line.strip()


@given(st.text(), st.integers(1, 50))
def test_plain_text_is_plain(text: str, limit: int) -> None:
    line = plain(text, limit)
    assert len(line) <= limit
    assert plain(line, limit) == line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;title\x07done", "done"),
        ("\x1b[1;32m✔\x1b[0m done", "✔ done"),
        ("a\u202egnp.exe", "a gnp.exe"),
        ("a\x00b\tc", "a b c"),
    ],
)
def test_what_a_terminal_understands_is_not_shown(text: str, shown: str) -> None:
    assert plain(text, 100) == shown


@pytest.mark.parametrize(
    ("template", "url"),
    [
        ("https://logs.example.com/{{ run }}", "https://logs.example.com/run-1"),
        ("https://{{ application }}/", "https://site.example.com/"),
        ("{{ vars.missing }}", None),
        ("javascript:alert(1)", None),
        ("https:///nowhere", None),
        ("https://[", None),
        ("https://a.example/b c", None),
        (f"https://a.example/{'x' * 1000}", None),
    ],
)
def test_a_link_is_an_address_or_none(template: str, url: str | None) -> None:
    assert link(Template(template), made()) == url


def test_a_status_has_links_where_there_are_some(github: GitHub) -> None:
    told = {"state": "success", "description": "deployed"}
    assert status_body(made(), github.conf()) == told
    assert status_body(made(), github.conf(), "https://hooks.example.com") == {
        **told,
        "log_url": "https://hooks.example.com",
    }
    linked = github.confs(
        {"acme/site": {"application": "x"}},
        log_url=Template("https://logs.example.com/{{ run }}"),
        environment_url=Template("https://{{ application }}"),
    )
    assert status_body(made(), linked, "https://hooks.example.com") == {
        **told,
        "log_url": "https://logs.example.com/run-1",
        "environment_url": "https://site.example.com",
    }
