"""What is deployed of which repository: the decision that all forges share."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duct_tape.conf.options import TriggerName
from duct_tape.delivery import Ignored, PlannedRun, Pong, Runs
from duct_tape.errors import MalformedError
from duct_tape.events import Event, Release, ReleasePublished
from duct_tape.filters import Filter
from duct_tape.repositories import RepositoriesConf, Repository, is_pattern
from duct_tape.templates import Template

DEPLOY, ANNOUNCE = TriggerName("deploy"), TriggerName("announce")


def repository(application: str = "site", **members: Any) -> Repository:
    return Repository(application=Template(application), **members)


def conf(repositories: Mapping[str, Repository] | None = None, **members: Any) -> RepositoriesConf:
    given: dict[str, Any] = {"triggers": (DEPLOY,), "repositories": repositories or {"acme/site": repository()}}
    return RepositoriesConf(**{**given, **members})


def published(repository: str = "acme/site", **members: Any) -> ReleasePublished:
    """A version, with members of the event and of its release."""
    of_event = {name: members.pop(name) for name in ("key", "version", "payload") if name in members}
    release = Release(**{"id": "7", "tag": "v1", "published_at": "2026-01-02T03:04:05Z", **members})
    return ReleasePublished(name="release", delivery="d-1", repository=repository, release=release, **of_event)


def ignored(conf: RepositoriesConf, event: Event) -> str:
    decision = conf.decide(event)
    assert isinstance(decision, Ignored)
    return decision.reason


def runs(conf: RepositoriesConf, event: Event) -> Runs:
    decision = conf.decide(event)
    assert isinstance(decision, Runs)
    return decision


def applications(conf: RepositoriesConf, name: str) -> list[str]:
    decision = conf.decide(published(name))
    return [run.application for run in decision.runs] if isinstance(decision, Runs) else []


def test_a_version_is_deployed() -> None:
    assert runs(conf(), published()) == Runs(
        runs=(PlannedRun(application="site", trigger="deploy", vars={}),),
        key="release:acme/site:7:v1",
        version="2026-01-02T03:04:05Z",
        title="v1",
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("acme/site", ["exact"]),
        ("ACME/Site", ["exact"]),
        ("acme/shop", ["first"]),
        ("acme/shops", ["first"]),
        ("Acme/Other", ["second"]),
        ("acme/other/deep", ["second"]),
        ("evil/acme/site", []),
        ("acme", []),
        ("", []),
        ("acme/site ", ["second"]),
        ("acme/site\n", ["second"]),
        ("evil/site\nacme/site", []),
    ],
)
def test_the_name_itself_goes_before_the_first_pattern(name: str, expected: list[str]) -> None:
    known = {
        "acme/s[h]op*": repository("first"),
        "Acme/*": repository("second"),
        "*/shop": repository("third"),
        "Acme/SITE": repository("exact"),
    }
    assert applications(conf(known), name) == expected


@pytest.mark.parametrize("name", ["\u212aelvin/site", "acme/\u0130", "ac\u200bme/site", "acme/\ud800", "ａｃｍｅ/site"])
def test_a_name_outside_ascii_is_never_taken_for_another(name: str) -> None:
    known = {"kelvin/site": repository(), "*": repository(), name: repository()}
    assert ignored(conf(known), published(name)) == f"the repository {name} is not configured"


def test_a_name_without_an_end_is_no_repository_and_shown_shortened() -> None:
    known = conf({"*" + "a*" * 40 + "b": repository(), "*": repository()})
    assert applications(known, "a" * 1000) == ["site"]
    before = time.process_time()
    assert ignored(known, published("a" * 20_000_000)) == f"the repository {'a' * 200} is not configured"
    assert time.process_time() - before < 0.5


@pytest.mark.parametrize(
    ("name", "pattern"), [("a*", True), ("a?", True), ("[a]", True), ("a/b", False), ("a]", False)]
)
def test_what_a_pattern_is(name: str, pattern: bool) -> None:
    assert is_pattern(name) is pattern


def test_the_application_may_be_a_template() -> None:
    template = "{{ repository.split('/') | last }}{% if release.prerelease %}-next{% endif %}.{{ vars.domain }}"
    known = conf({"acme/*": repository(template, prereleases=True)}, vars={"domain": "example.com"})
    assert applications(known, "acme/shop") == ["shop.example.com"]
    assert runs(known, published("acme/shop", prerelease=True)).runs[0].application == "shop-next.example.com"


@pytest.mark.parametrize(
    ("rendered", "problem"),
    [
        ("", "it is empty or begins or ends with a blank"),
        (" x", "it is empty or begins or ends with a blank"),
        ("../etc", "it holds a slash"),
        ("a/b", "it holds a slash"),
        ("..", "it begins with '.'"),
        (".results", "it begins with '.'"),
        ("-rf", "it begins with '-'"),
        ("a\x00b", "it holds a control character"),
        ("a\u202eb", "it holds a control character"),
        ("x" * 201, "it is longer than 200 bytes"),
    ],
)
def test_an_application_that_is_not_safe_is_not_deployed(rendered: str, problem: str) -> None:
    known = conf({"acme/*": repository("{{ payload.name }}")})
    reason = ignored(known, published(payload={"name": rendered}))
    assert reason == f"{rendered[:80]!r} cannot be an application: {problem}"


@pytest.mark.parametrize("payload", [{}, {"name": None}, {"name": "x" * 70_000}, {"name": "\ud800"}])
def test_an_application_that_cannot_be_made_is_not_deployed(payload: Any) -> None:
    reason = ignored(conf({"acme/*": repository("{{ payload.name }}")}), published(payload=payload))
    assert reason.startswith("the application's name cannot be made: template '{{ payload.name }}'")
    assert len(reason) < 400


UNWANTED = [
    ({}, {"kind": "tag"}, "`on` does not name `tag` for this repository: v1 is not deployed"),
    ({"on": ()}, {}, "`on` does not name `release` for this repository: v1 is not deployed"),
    ({}, {"draft": True}, "the release is a draft"),
    ({}, {"draft": True, "tag": ""}, "the release is a draft"),
    ({}, {"prerelease": True}, "v1 is a prerelease, and `prereleases` is not set for this repository"),
    ({"tags": ("w*", "x")}, {}, "the tag v1 matches none of w*, x"),
    ({"tags": ("V*",)}, {}, "the tag v1 matches none of V*"),
    ({"tags": ("v",)}, {}, "the tag v1 matches none of v"),
    ({"tags": ("v1",)}, {"tag": "v1\n"}, "the tag v1\n matches none of v1"),
    ({"on": ("tag",), "tags": ("w*",)}, {"kind": "tag"}, "the tag v1 matches none of w*"),
    ({"on": ("package",), "tags": ("w*",)}, {"kind": "package"}, "the tag v1 matches none of w*"),
    ({"on": ("branch",)}, {"kind": "branch", "tag": "next"}, "the branch next matches none of main"),
    ({"on": ("build",)}, {"kind": "build", "tag": "next"}, "the branch next matches none of main"),
    ({"tags": ("w*",)}, {"tag": "x" * 1000}, f"the tag {'x' * 200} matches none of w*"),
    ({"when": Filter("payload.ok")}, {}, "the filter `payload.ok` cannot be told: there is no value for `payload.ok`"),
    ({"when": Filter("release.tag == 'v2'")}, {}, "the filter `release.tag == 'v2'` does not hold"),
]


@pytest.mark.parametrize(("of_repository", "of_release", "reason"), UNWANTED)
def test_what_is_not_wanted_is_ignored_with_a_reason(
    of_repository: dict[str, Any], of_release: dict[str, Any], reason: str
) -> None:
    assert ignored(conf({"acme/site": repository(**of_repository)}), published(**of_release)) == reason


@pytest.mark.parametrize(
    ("of_repository", "of_release"),
    [
        ({"prereleases": True}, {"prerelease": True}),
        ({"tags": ("w*", "v?")}, {}),
        ({"tags": ("w*",), "on": ("branch",)}, {"kind": "branch", "tag": "main"}),
        ({"branches": ("x",)}, {}),
        ({"branches": (), "on": ("branch",)}, {"kind": "branch", "tag": "any/branch"}),
        ({"branches": ("release/*",), "on": ("build",)}, {"kind": "build", "tag": "release/1"}),
        ({"on": ("release", "tag")}, {"kind": "tag"}),
        ({"when": Filter("vars.a == 1 and event == 'release' and repository == 'acme/site'")}, {}),
    ],
)
def test_what_is_wanted_is_deployed(of_repository: dict[str, Any], of_release: dict[str, Any]) -> None:
    assert runs(conf({"acme/site": repository(**of_repository)}, vars={"a": 1}), published(**of_release)).runs


def test_an_event_of_another_kind_is_ignored() -> None:
    assert ignored(conf(), Event(name="issues", delivery="d")) == "`issues` publishes nothing that can be deployed"
    release = Event(name="release", action="x" * 300, delivery="d", release=Release(id="1", tag="v1"))
    assert ignored(conf(), release) == f"`release {'x' * 192}` publishes nothing that can be deployed"


@pytest.mark.parametrize("members", [{"tag": ""}, {"tag": "", "kind": "branch"}, {"tag": "x" * 1001}])
def test_a_version_without_a_usable_name_is_malformed(members: dict[str, Any]) -> None:
    with pytest.raises(MalformedError, match=f"{members.get('kind', 'release')} "):
        conf().decide(published(**members))


def test_what_is_not_configured_is_ignored_before_its_tag_is_looked_at() -> None:
    assert ignored(conf(), published("evil/site", tag="")) == "the repository evil/site is not configured"


def test_the_key_is_of_the_version_and_not_of_the_delivery() -> None:
    keys = {
        runs(conf({"*": repository(on=("release", "tag"))}), event).key
        for event in (
            published(),
            published("acme/other"),
            published(id="8"),
            published(tag="v2"),
            published(kind="tag"),
        )
    }
    assert len(keys) == 5
    assert runs(conf(), published("ACME/Site")).key == runs(conf(), published()).key
    assert runs(conf(), published(key="own")).key == "own"


def test_the_version_sorts_by_age() -> None:
    assert runs(conf(), published(version="2027-01-01T00:00:00Z")).version == "2027-01-01T00:00:00Z"
    assert runs(conf(), published(published_at=None)).version is None
    assert not runs(conf(), published()).allow_older
    assert runs(conf({"acme/site": repository(allow_older=True)}), published()).allow_older


@pytest.mark.parametrize(
    ("own", "expected"),
    [(None, ["deploy", "announce"]), ((ANNOUNCE,), ["announce"]), ((), [])],
)
def test_triggers_of_its_own_replace_the_default_ones(own: Any, expected: list[str]) -> None:
    known = conf({"acme/site": repository(triggers=own)}, triggers=(DEPLOY, ANNOUNCE))
    assert [run.trigger for run in runs(known, published()).runs] == expected


@pytest.mark.parametrize(("own", "expected"), [(None, {"a": 1, "b": 2}), ({"a": 3}, {"a": 3}), ({}, {})])
def test_vars_of_its_own_replace_the_default_ones(own: Any, expected: dict[str, int]) -> None:
    known = conf({"acme/site": repository(vars=own)}, vars={"a": 1, "b": 2})
    assert [run.vars for run in runs(known, published()).runs] == [expected]


NAMES = st.text(st.characters(categories=None), max_size=20) | st.sampled_from(["acme/site", "ACME/x", "a"])


@given(NAMES, NAMES, st.sampled_from(["release", "tag", "branch", "build", "", "other"]), st.booleans(), st.booleans())
def test_any_version_gives_a_decision(name: str, tag: str, kind: str, draft: bool, prerelease: bool) -> None:
    known = conf(
        {"acme/site": repository(), "acme/*": repository("{{ release.tag | filename }}", on=("release", "tag"))}
    )
    event = published(name, tag=tag, kind=kind, draft=draft, prerelease=prerelease)
    try:
        decision = known.decide(event)
    except MalformedError:
        assert not tag
        assert not draft
        return
    assert not (draft and isinstance(decision, Runs))
    assert isinstance(decision, (Ignored, Runs))


def test_a_pong_of_a_long_name_is_short() -> None:
    known = conf({"acme/*": repository(on=("release", "tag"))})
    name = "acme/" + "x" * 900
    assert known.pong(name) == Pong(
        configured=True, message=f"the signature is good; of {name[:200]} is deployed: release and tag"
    )
    assert len(known.pong("x" * 5000).message) < 300
