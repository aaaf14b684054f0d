"""The plugin's table, and what is decided by it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from duct_tape.api import Ignored, MalformedError, RawDelivery, ReleasePublished, Runs, Secret
from duct_tape.assembly import assemble
from duct_tape_gitlab.conf import GitLabConf
from duct_tape_gitlab.receive import parse

if TYPE_CHECKING:
    from pathlib import Path

    from tests.plugins.gitlab.conftest import GitLab

KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """What is wrong with this table."""
    monkeypatch.setenv("TOKEN", "a token of this test")
    monkeypatch.setenv("KEY", KEY)

    def found(table: str) -> list[str]:
        path = tmp_path / "duct_tape.toml"
        path.write_text(f'[triggers.deploy]\naction = "touch-file"\n[plugins.touch-file]\n[plugins.gitlab]\n{table}\n')
        return [str(problem).replace(f" ({path})", "") for problem in assemble(path).problems]

    return found


TOKEN = 'secrets = [{ env = "TOKEN" }]'
SIGNED = 'signing_secrets = [{ env = "KEY" }]'


@pytest.mark.parametrize("table", [TOKEN, SIGNED])
def test_one_of_the_two_ways_is_enough(problems: Callable[[str], list[str]], table: str) -> None:
    assert problems(table) == []


@pytest.mark.parametrize("table", ["", "secrets = []", "signing_secrets = []"])
def test_without_a_secret_nothing_starts(problems: Callable[[str], list[str]], table: str) -> None:
    [problem] = problems(table)
    assert problem.startswith("`secrets` is empty, in plugins.gitlab.secrets;")


def test_both_ways_at_once_are_one_too_many(problems: Callable[[str], list[str]]) -> None:
    [problem] = problems(f"{TOKEN}\n{SIGNED}")
    assert problem.startswith("`secrets` counts for nothing beside `signing_secrets`, in plugins.gitlab.secrets;")


def test_a_signing_secret_has_its_form(problems: Callable[[str], list[str]]) -> None:
    [problem] = problems('signing_secrets = [{ env = "TOKEN" }]')
    assert problem.startswith("the environment variable TOKEN holds no secret of Standard Webhooks,")


def test_on_names_what_gitlab_tells_of(problems: Callable[[str], list[str]]) -> None:
    table = '[plugins.gitlab.repositories."a/b"]\napplication = "x"\ntriggers = ["deploy"]\non = ["package"]'
    [problem] = problems(f"{TOKEN}\n{table}")
    assert problem.startswith('expected one of "release", "tag", "branch", "build"')


@pytest.mark.parametrize("name", ["https://gitlab.com/a/b", "git@gitlab.com:a/b.git", "b", "a b/c", "a//b"])
def test_an_address_is_no_path(problems: Callable[[str], list[str]], name: str) -> None:
    [problem] = problems(f'{TOKEN}\nrepositories."{name}" = {{ application = "x", triggers = ["deploy"] }}')
    assert problem.startswith(f"`{name}` is not a repository, in ")
    assert problem.endswith('write "group/subgroup/project"')


@pytest.mark.parametrize("name", ["a/b", "a/b/c/d", "a/*", "*", "[ab]/?"])
def test_paths_and_patterns_of_them(problems: Callable[[str], list[str]], name: str) -> None:
    assert problems(f'{TOKEN}\nrepositories."{name}" = {{ application = "x", triggers = ["deploy"] }}') == []


def test_no_secret_is_in_a_repr(gitlab: GitLab) -> None:
    conf = GitLabConf(secrets=(gitlab.token,), signing_secrets=(Secret("test", KEY.encode()),))
    assert KEY not in repr(conf)
    assert gitlab.token.reveal().decode() not in repr(conf)


@pytest.mark.parametrize("kind", ["release", "tag", "branch", "build"])
def test_each_kind_is_deployed_where_it_is_asked_for(gitlab: GitLab, kind: str) -> None:
    payload = gitlab.payload(kind)
    assert isinstance(gitlab.decide(payload, gitlab.conf(on=(kind,))), Runs)
    others = tuple({"release", "tag", "branch", "build"} - {kind})
    decision = gitlab.decide(payload, gitlab.conf(on=others))
    assert isinstance(decision, Ignored)
    assert f"`on` does not name `{kind}`" in decision.reason


def test_a_pattern_reaches_into_subgroups(gitlab: GitLab) -> None:
    assert isinstance(gitlab.decide(gitlab.payload(), gitlab.conf("group/*")), Runs)


def deployed(gitlab: GitLab, payload: dict[str, Any]) -> Runs:
    decision = gitlab.decide(payload)
    assert isinstance(decision, Runs)
    return decision


def test_a_branch_that_is_set_back_is_deployed_again(gitlab: GitLab) -> None:
    there = gitlab.payload("branch") | {"before": "a" * 40, "after": "b" * 40, "checkout_sha": "b" * 40}
    back = there | {"before": "b" * 40, "after": "a" * 40, "checkout_sha": "a" * 40}
    first = there | {"before": "0" * 40, "after": "a" * 40, "checkout_sha": "a" * 40}
    assert len({deployed(gitlab, payload).key for payload in (first, there, back)}) == 3
    assert deployed(gitlab, there).key == deployed(gitlab, dict(there)).key


def test_a_branch_may_go_the_same_way_twice(gitlab: GitLab) -> None:
    body = json.dumps(gitlab.payload("branch")).encode()
    keys = []
    for number in ("one", "two", "one"):
        event = parse(RawDelivery.build({"Content-Type": "application/json", "Idempotency-Key": number}, body))
        assert isinstance(event, ReleasePublished)
        keys.append(event.release.id)
    assert keys[0] == keys[2] != keys[1]


def test_a_tag_that_is_moved_is_deployed_again_and_one_that_is_sent_again_is_not(gitlab: GitLab) -> None:
    payload = gitlab.payload("tag")
    moved = payload | {"after": "b" * 40, "checkout_sha": "b" * 40}
    assert deployed(gitlab, payload).key != deployed(gitlab, moved).key
    assert deployed(gitlab, payload).key == deployed(gitlab, payload | {"user_username": "another"}).key


def test_releases_are_sorted_by_their_date(gitlab: GitLab) -> None:
    assert deployed(gitlab, gitlab.payload()).version == "2026-01-02T03:04:05Z"
    historical = gitlab.payload() | {"released_at": "2020-11-02 12:55:12 UTC"}
    assert deployed(gitlab, historical).version == "2020-11-02T12:55:12Z"


def test_an_upcoming_release_waits(gitlab: GitLab) -> None:
    upcoming = gitlab.payload() | {"released_at": "2999-01-01 00:00:00 UTC"}
    assert gitlab.decide(upcoming) == Ignored(reason="v1.0.0 is an upcoming release, until 2999-01-01T00:00:00Z")


def test_a_release_of_now_is_deployed_though_gitlabs_clock_is_ahead(gitlab: GitLab) -> None:
    ahead = "2999-01-01 00:00:00 UTC"
    assert isinstance(gitlab.decide(gitlab.payload() | {"created_at": ahead, "released_at": ahead}), Runs)


def test_a_version_without_a_name_is_malformed(gitlab: GitLab) -> None:
    with pytest.raises(MalformedError):
        gitlab.decide(gitlab.payload() | {"tag": ""})
