"""Deploy when a version becomes deployable: which deliveries make runs, and what the others are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from duct_tape.api import Ignored, MalformedError, PlannedRun, Pong, Runs
from duct_tape_github.sample import ping_payload, release_payload

if TYPE_CHECKING:
    from tests.plugins.github.conftest import GitHub

ACTIONS = "created published released prereleased edited deleted unpublished archived PUBLISHED".split()
# Action, prerelease, `prereleases`. Everything that is not here is ignored, and so is every draft.
DEPLOYED = {
    ("published", False, False),
    ("published", False, True),
    ("published", True, True),
    ("released", False, False),
    ("released", False, True),
}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("draft", [False, True], ids=["", "draft"])
@pytest.mark.parametrize("prerelease", [False, True], ids=["full", "prerelease"])
@pytest.mark.parametrize("allowed", [False, True], ids=["", "prereleases"])
@pytest.mark.parametrize(
    ("tags", "matches"),
    [((), True), (("v*",), True), (("x", "v[0-9].?.*"), True), (("V*",), False), (("v1",), False)],
    ids=str,
)
def test_the_table(
    github: GitHub, action: str, draft: bool, prerelease: bool, allowed: bool, tags: tuple[str, ...], matches: bool
) -> None:
    conf = github.conf(prereleases=allowed, tags=tags)
    payload = github.release(tag="v1.0.0", action=action, draft=draft, prerelease=prerelease)
    wanted = (action, prerelease, allowed) in DEPLOYED and not draft and matches
    assert isinstance(github.decide(payload, conf), Runs if wanted else Ignored)


def test_what_a_release_asks_for(github: GitHub) -> None:
    decision = github.decide(github.release(release_id=42, published_at="2026-05-01T14:00:00.5+02:00"))
    number = github.release()["repository"]["id"]
    assert decision == Runs(
        runs=(PlannedRun(application="site.example.com", trigger="deploy"),),
        key=f"release:{number}:42:v1.0.0",
        version="2026-05-01T12:00:00Z",
        title="v1.0.0",
    )


def test_triggers_and_vars_replace_the_default_ones(github: GitHub) -> None:
    repositories: dict[str, dict[str, Any]] = {
        "acme/plain": {"application": "plain"},
        "acme/own": {"application": "own", "triggers": ("announce", "deploy"), "vars": {"colour": "red"}},
        "acme/none": {"application": "none", "vars": {}},
    }
    conf = github.confs(repositories, vars={"colour": "blue", "size": 1})

    def planned(repository: str) -> tuple[PlannedRun, ...]:
        decision = github.decide(release_payload(repository), conf)
        assert isinstance(decision, Runs)
        return decision.runs

    assert planned("acme/plain") == (
        PlannedRun(application="plain", trigger="deploy", vars={"colour": "blue", "size": 1}),
    )
    assert planned("acme/own") == (
        PlannedRun(application="own", trigger="announce", vars={"colour": "red"}),
        PlannedRun(application="own", trigger="deploy", vars={"colour": "red"}),
    )
    assert planned("acme/none") == (PlannedRun(application="none", trigger="deploy", vars={}),)


@pytest.mark.parametrize(
    ("settings", "release", "reason"),
    [
        ({}, {"action": "edited"}, "the release was `edited`: only a published release is deployed"),
        ({}, {"action": "x" * 99}, f"the release was `{'x' * 50}`: only a published release is deployed"),
        ({}, {"draft": True}, "the release is a draft"),
        ({}, {"draft": True, "tag": ""}, "the release is a draft"),
        ({}, {"prerelease": True}, "v1.0.0 is a prerelease, and `prereleases` is not set for this repository"),
        (
            {"prereleases": True},
            {"prerelease": True, "action": "released"},
            "v1.0.0 is a prerelease: it is deployed when it is published",
        ),
        ({"tags": ("v2.*", "w*")}, {}, "the tag v1.0.0 matches none of v2.*, w*"),
        ({"tags": ("v1",)}, {"tag": "x" * 999}, f"the tag {'x' * 200} matches none of v1"),
        (
            {},
            {"prerelease": True, "tag": "x" * 999},
            f"{'x' * 200} is a prerelease, and `prereleases` is not set for this repository",
        ),
    ],
)
def test_a_reason_says_why(github: GitHub, settings: dict[str, Any], release: dict[str, Any], reason: str) -> None:
    assert github.decide(github.release(**release), github.conf(**settings)) == Ignored(reason=reason)


def test_another_repository_is_not_configured(github: GitHub) -> None:
    reason = "the repository evil/site is not configured"
    assert github.decide(release_payload("evil/site")) == Ignored(reason=reason)


@pytest.mark.parametrize(
    "event", ["package", "registry_package", "workflow_run", "page_build", "released", "unheard_of"]
)
def test_another_event_never_deploys_whatever_it_carries(github: GitHub, event: str) -> None:
    decision = github.decide(github.release(action="published"), event=event)
    assert decision == Ignored(reason=f"`{event}` events are not used: the webhook needs to send releases only")


def test_a_published_release_has_a_tag(github: GitHub) -> None:
    with pytest.raises(MalformedError, match="tag_name` is empty"):
        github.decide(github.release(tag=""))


@pytest.mark.parametrize("name", ["ACME/Site", "acme/SITE"])
def test_names_of_repositories_do_not_tell_upper_from_lower_case(github: GitHub, name: str) -> None:
    payload = github.release()
    payload["repository"]["full_name"] = name
    assert isinstance(github.decide(payload), Runs)


# Each of these becomes acme/kit by lower(), upper(), casefold() or a Unicode normalisation.
@pytest.mark.parametrize(
    "name", ["acme/\u212ait", "acme/k\u0131t", "acme/K\u0130T", "ac\uff4de/kit", "acme\uff0fkit", "acme/kit "]
)
def test_letters_that_only_look_alike_are_another_repository(github: GitHub, name: str) -> None:
    conf = github.confs({"acme/kit": {"application": "kit"}})
    assert conf.repository("acme/kit") is not None
    assert conf.repository(name) is None


def test_a_promoted_prerelease_is_as_new_as_its_promotion(github: GitHub) -> None:
    times = {"published_at": "2026-01-01T00:00:00Z", "updated_at": "2026-03-01T00:00:00Z"}
    promoted = github.decide(github.release(action="released", **times))
    assert isinstance(promoted, Runs)
    assert promoted.version == "2026-03-01T00:00:00Z"
    # Where a release is only published, `updated_at` has nothing to say: notes may have been written before.
    published = github.decide(github.release(action="published", **times))
    assert isinstance(published, Runs)
    assert published.version == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize("updated", [None, "2025-12-31T00:00:00Z"])
def test_without_a_later_update_a_release_is_as_new_as_its_publication(github: GitHub, updated: str | None) -> None:
    payload = github.release(action="released", published_at="2026-01-01T00:00:00Z")
    payload["release"]["updated_at"] = updated
    decision = github.decide(payload)
    assert isinstance(decision, Runs)
    assert decision.version == "2026-01-01T00:00:00Z"


def test_a_release_without_a_time_has_no_age(github: GitHub) -> None:
    decision = github.decide(github.release(action="released", published_at=None))
    assert isinstance(decision, Runs)
    assert decision.version is None


@pytest.mark.parametrize("updated", ["yesterday", "2026-01-01T00:00:00", 5])
def test_a_time_that_is_none_is_malformed(github: GitHub, updated: object) -> None:
    payload = github.release(action="released")
    payload["release"]["updated_at"] = updated
    with pytest.raises(MalformedError, match=r"`release\.updated_at` is"):
        github.decide(payload)


SIGNED = Pong(configured=True, message="the signature is good")
OTHER = Pong(configured=False, message="the repository acme/other is not configured here")
GOOD = Pong(configured=True, message="releases of acme/site deploy site.example.com")
NO_RELEASES = Pong(configured=False, message="the webhook does not send releases: edit it and select Releases")


@pytest.mark.parametrize(
    ("payload", "pong"),
    [
        (ping_payload("acme/site"), GOOD),
        (ping_payload("acme/site", ("push", "release")), GOOD),
        (ping_payload("acme/site", ("*",)), GOOD),
        (ping_payload("acme/site", ("push",)), NO_RELEASES),
        (ping_payload("acme/site", ()), NO_RELEASES),
        (ping_payload("acme/other"), OTHER),
        ({"zen": "An organization's webhook."}, SIGNED),
        ({"hook": None, "repository": None}, SIGNED),
        ({"hook": {"events": 5}, "repository": {"full_name": 5}}, SIGNED),
        ({"hook": {"events": [5, None, {}]}}, NO_RELEASES),
    ],
)
def test_a_ping_tells_whether_the_webhook_fits(github: GitHub, payload: dict[str, Any], pong: Pong) -> None:
    assert github.decide(payload, event="ping") == pong


def test_a_ping_tells_that_nothing_is_configured(github: GitHub) -> None:
    conf = github.confs({})
    assert github.decide({}, conf, "ping") == Pong(configured=False, message="the signature is good")
