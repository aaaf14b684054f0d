"""Pushes: each publishes a tag or a branch, and what is sorted by is GitHub's clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from duct_tape.api import Ignored, MalformedError, PlannedRun, ReleasePublished, Runs
from duct_tape_github import receive
from duct_tape_github.sample import COMMIT, push_payload

if TYPE_CHECKING:
    from tests.plugins.github.conftest import GitHub

OTHER = "a" * 40
ZERO = "0" * 40


def push(ref: str = "refs/heads/main", **settings: Any) -> dict[str, Any]:
    return push_payload("acme/site", ref=ref, **settings)


def test_what_a_push_asks_for(github: GitHub) -> None:
    payload = push()
    decision = github.decide(payload, github.conf(on=("branch",)), "push")
    assert decision == Runs(
        runs=(PlannedRun(application="site.example.com", trigger="deploy"),),
        key=f"branch:{payload['repository']['id']}:main:{COMMIT}:2026-01-02T03:04:05Z",
        version="2026-01-02T03:04:05Z",
        title="main",
    )


@pytest.mark.parametrize(
    ("ref", "on", "reason"),
    [
        ("refs/heads/main", ("branch",), ""),
        ("refs/heads/main", ("tag", "branch"), ""),
        ("refs/tags/v1", ("tag",), ""),
        ("refs/tags/main", ("branch",), "`on` does not name `tag` for this repository: main is not deployed"),
        ("refs/heads/v1", ("tag",), "`on` does not name `branch` for this repository: v1 is not deployed"),
        ("refs/heads/topic", ("branch",), "the branch topic matches none of main"),
        ("refs/heads/feature/main", ("branch",), "the branch feature/main matches none of main"),
        ("refs/heads/refs/heads/main", ("branch",), "the branch refs/heads/main matches none of main"),
        ("refs/notes/commits", ("branch", "tag"), "refs/notes/commits is neither a branch nor a tag"),
        ("refs/pull/1/head", ("branch", "tag"), "refs/pull/1/head is neither a branch nor a tag"),
        ("refs/heads/", ("branch",), "refs/heads/ is neither a branch nor a tag"),
        ("main", ("branch",), "main is neither a branch nor a tag"),
        ("heads/main", ("branch",), "heads/main is neither a branch nor a tag"),
        ("", ("branch",), " is neither a branch nor a tag"),
    ],
)
def test_which_refs_are_deployed(github: GitHub, ref: str, on: tuple[str, ...], reason: str) -> None:
    decision = github.decide(push(ref), github.conf(on=on), "push")
    assert decision == Ignored(reason=reason) if reason else isinstance(decision, Runs)


@pytest.mark.parametrize("patterns", [("release/*",), ("x", "release/1.?")])
def test_patterns_of_branches(github: GitHub, patterns: tuple[str, ...]) -> None:
    conf = github.conf(on=("branch",), branches=patterns)
    assert isinstance(github.decide(push("refs/heads/release/1.2"), conf, "push"), Runs)
    assert isinstance(github.decide(push(), conf, "push"), Ignored)


@pytest.mark.parametrize("changes", [{"deleted": True}, {"after": ZERO}, {"after": "0" * 64}])
@pytest.mark.parametrize(("ref", "what"), [("refs/heads/main", "branch main"), ("refs/tags/v1", "tag v1")])
def test_what_was_deleted_is_not_deployed(github: GitHub, changes: dict[str, Any], ref: str, what: str) -> None:
    payload = {**push(ref), "head_commit": None, **changes}
    decision = github.decide(payload, github.conf(on=("branch", "tag")), "push")
    assert decision == Ignored(reason=f"the {what} was deleted")


def test_a_repository_that_is_not_configured(github: GitHub) -> None:
    decision = github.decide(push_payload("evil/site"), github.conf(on=("branch",)), "push")
    assert decision == Ignored(reason="the repository evil/site is not configured")


def test_without_a_kind_of_its_own_nobody_reads_a_push(github: GitHub) -> None:
    reason = "`push` events are not used: the webhook needs to send releases and workflow runs only"
    conf = github.conf(on=("release", "build"), workflows=("CI",))
    assert github.decide({"ref": 5}, conf, "push") == Ignored(reason=reason)


def parsed(payload: dict[str, Any]) -> ReleasePublished:
    import json

    event = receive.parse(receive.simulated("push", json.dumps(payload).encode()), {"branch", "tag"})
    assert isinstance(event, ReleasePublished)
    return event


def test_the_version_that_a_push_publishes() -> None:
    release = parsed(push()).release
    assert (release.id, release.commit, release.kind, release.tag) == (COMMIT, COMMIT, "branch", "main")
    assert (release.name, release.author) == ("Make it better", "acme")
    assert release.url == f"https://github.com/acme/site/commit/{COMMIT}"
    assert (release.prerelease, release.draft, release.published_at) == (False, False, "2026-01-02T03:04:05Z")


def test_a_tag_with_a_message_is_deployed_by_its_commit() -> None:
    payload = push("refs/tags/v1")
    payload["after"] = OTHER
    event = parsed(payload)
    assert event.release.commit == COMMIT
    assert OTHER in (event.key or "")


def test_a_tag_of_something_else_than_a_commit() -> None:
    release = parsed({**push("refs/tags/v1"), "head_commit": None}).release
    assert (release.commit, release.name, release.url) == (COMMIT, None, None)


def test_a_name_is_one_line_of_the_message() -> None:
    payload = push()
    payload["head_commit"]["message"] = "x" * 300 + "\nand more"
    assert parsed(payload).release.name == "x" * 200
    payload["head_commit"]["message"] = ""
    assert parsed(payload).release.name is None


def test_moving_back_is_another_push() -> None:
    """A branch that is set back to an earlier commit is deployed again; the same push is not."""
    first = parsed(push(pushed_at="2026-01-01T00:00:00Z"))
    second = parsed(push(commit=OTHER, pushed_at="2026-01-01T00:01:00Z"))
    back = parsed(push(pushed_at="2026-01-01T00:02:00Z"))
    assert len({first.key, second.key, back.key}) == 3
    assert first.key == parsed(push(pushed_at="2026-01-01T00:00:00Z")).key
    assert [event.release.published_at for event in (first, second, back)] == [
        "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z", "2026-01-01T00:02:00Z",
    ]  # fmt: skip


def test_the_clock_of_a_commits_author_counts_for_nothing() -> None:
    payload = push()
    payload["head_commit"]["timestamp"] = "2099-01-01T00:00:00Z"
    assert parsed(payload).release.published_at == "2026-01-02T03:04:05Z"


@pytest.mark.parametrize(
    ("value", "time"),
    [(0, "1970-01-01T00:00:00Z"), ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"), (None, None)],
)
def test_times_of_pushes(value: Any, time: str | None) -> None:
    payload = push()
    payload["repository"]["pushed_at"] = value
    assert parsed(payload).release.published_at == time


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("ref", 5),
        ("ref", None),
        ("ref", "refs/heads/" + "x" * 1000),
        ("deleted", "false"),
        ("deleted", None),
        ("after", COMMIT[:39]),
        ("after", COMMIT.upper()),
        ("after", None),
        ("head_commit", []),
        ("head_commit.id", None),
        ("head_commit.id", "main"),
        ("head_commit.message", 5),
        ("head_commit.url", []),
        ("repository.id", "5"),
        ("repository.id", True),
        ("repository.full_name", None),
        ("repository.pushed_at", -1),
        ("repository.pushed_at", 10**12),
        ("repository.pushed_at", True),
        ("repository.pushed_at", 1.5),
        ("repository.pushed_at", "yesterday"),
        ("sender.login", 5),
    ],
)
def test_what_is_mistyped_is_malformed(path: str, value: Any) -> None:
    payload = push()
    *parents, last = path.split(".")
    table = payload
    for key in parents:
        table = table[key]
    table[last] = value
    with pytest.raises(MalformedError):
        parsed(payload)


def test_a_new_tag_is_read_from_the_push_and_not_from_create(github: GitHub) -> None:
    conf = github.conf(on=("tag",))
    created = {"ref": "v1", "ref_type": "tag", "repository": push()["repository"]}
    reason = "`create` events are not used: the webhook needs to send pushes only"
    assert github.decide(created, conf, "create") == Ignored(reason=reason)
    with pytest.raises(MalformedError):
        github.decide({**created, "ref": "refs/tags/v1"}, conf, "push")
