"""What no integration has to look at itself: names of versions that cannot be, and secrets that are not there."""

from __future__ import annotations

import pytest

from duct_tape.api import (
    Ignored,
    MalformedError,
    Release,
    ReleasePublished,
    RepositoriesConf,
    Repository,
    Runs,
    Secret,
    Template,
    TriggerName,
    secrets_problems,
)

CONF = RepositoriesConf(
    triggers=(TriggerName("deploy"),), repositories={"acme/site": Repository(application=Template("site"))}
)


def published(tag: str, *, draft: bool = False, repository: str = "acme/site") -> ReleasePublished:
    release = Release(id="1", tag=tag, draft=draft)
    return ReleasePublished(name="release", delivery="d", repository=repository, release=release)


@pytest.mark.parametrize("tag", ["", "x" * 1001])
def test_a_version_without_a_usable_name_is_malformed(tag: str) -> None:
    with pytest.raises(MalformedError):
        CONF.decide(published(tag))


@pytest.mark.parametrize("tag", ["v", "x" * 1000])
def test_a_version_with_a_name_is_deployed(tag: str) -> None:
    assert isinstance(CONF.decide(published(tag)), Runs)


def test_a_draft_needs_no_name() -> None:
    assert CONF.decide(published("", draft=True)) == Ignored(reason="the release is a draft")


def test_of_other_repositories_no_name_is_asked() -> None:
    decision = CONF.decide(published("", repository="acme/other"))
    assert decision == Ignored(reason="the repository acme/other is not configured")


def test_an_empty_list_of_secrets_is_a_problem_and_another_is_none() -> None:
    [problem] = secrets_problems((), "tokens")
    assert str(problem).startswith("`tokens` is empty, in tokens; without a secret")
    assert not list(secrets_problems((Secret("test", b"0123456789abcdef"),)))
