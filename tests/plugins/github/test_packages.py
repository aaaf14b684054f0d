"""Packages: images in GitHub's registry, each once, whichever of the two events tells of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from duct_tape.api import Ignored, MalformedError, PlannedRun, ReleasePublished, Runs
from duct_tape_github import receive
from duct_tape_github.sample import COMMIT, package_payload

if TYPE_CHECKING:
    from tests.plugins.github.conftest import GitHub

EVENTS = pytest.mark.parametrize("event", ["package", "registry_package"])
DIGEST = f"sha256:{'ab' * 32}"


def image(event: str = "package", **settings: Any) -> dict[str, Any]:
    return package_payload("acme/site", event=event, **{"digest": DIGEST, **settings})


def version(payload: dict[str, Any], event: str = "package") -> dict[str, Any]:
    found: dict[str, Any] = payload[event]["package_version"]
    return found


def parsed(payload: dict[str, Any], event: str = "package") -> ReleasePublished:
    found = receive.parse(receive.simulated(event, json.dumps(payload).encode()), {"package"})
    assert isinstance(found, ReleasePublished)
    return found


def reason(github: GitHub, payload: dict[str, Any], event: str) -> str:
    decision = github.decide(payload, github.conf(on=("package",)), event)
    assert isinstance(decision, Ignored), decision
    return decision.reason


@EVENTS
@pytest.mark.parametrize("action", ["published", "updated"])
def test_what_an_image_asks_for(github: GitHub, event: str, action: str) -> None:
    payload = image(event, action=action)
    assert github.decide(payload, github.conf(on=("package",)), event) == Runs(
        runs=(PlannedRun(application="site.example.com", trigger="deploy"),),
        key=f"package:{payload[event]['id']}:{DIGEST}:v1.0.0",
        version="2026-01-02T03:04:05Z",
        title="v1.0.0",
    )


def test_the_version_that_an_image_is() -> None:
    release = parsed(image()).release
    assert (release.id, release.kind, release.tag, release.name) == (DIGEST, "package", "v1.0.0", "site")
    assert (release.commit, release.author) == (COMMIT, "acme")
    assert release.url == "https://github.com/acme/site/pkgs/container/site/1"


def test_both_events_are_one_version() -> None:
    one, other = image("package"), image("registry_package")
    other["registry_package"]["package_version"]["id"] += 1
    assert parsed(one).key == parsed(other, "registry_package").key


def test_another_tag_or_another_image_is_another_version() -> None:
    keys = {parsed(image()).key, parsed(image(tag="latest")).key, parsed(image(digest="sha256:" + "0" * 64)).key}
    assert len(keys) == 3


@EVENTS
@pytest.mark.parametrize("tag", [{"name": ""}, {"name": None}, {}, None])
def test_an_image_without_a_tag_is_one_platform_of_another(github: GitHub, event: str, tag: object) -> None:
    payload = image(event)
    version(payload, event)["container_metadata"]["tag"] = tag
    said = "the image site has no tag: GitHub sends one more delivery for each tag that it gets"
    assert reason(github, payload, event) == said


@EVENTS
@pytest.mark.parametrize("action", ["deleted", "create", "PUBLISHED", ""])
def test_other_actions(github: GitHub, event: str, action: str) -> None:
    said = f"the package site was `{action}`: only a published image is deployed"
    assert reason(github, image(event, action=action), event) == said


def test_what_is_no_image(github: GitHub) -> None:
    payload = image()
    version(payload)["container_metadata"] = None
    assert reason(github, payload, "package") == "the package site is no container image"
    payload["package"]["package_version"] = None
    assert reason(github, payload, "package") == "the package site is no container image"


def test_tags_are_matched(github: GitHub) -> None:
    decision = github.decide(image(tag="latest"), github.conf(on=("package",), tags=("v*",)), "package")
    assert decision == Ignored(reason="the tag latest matches none of v*")


@pytest.mark.parametrize("absent", [False, True])
def test_a_package_of_no_repository_goes_by_its_own_name(github: GitHub, absent: bool) -> None:
    payload = {**image(), "repository": None}
    if absent:
        del payload["repository"]
    assert parsed(payload).repository == "acme/site"
    assert isinstance(github.decide(payload, github.conf(on=("package",)), "package"), Runs)
    payload["package"]["name"] = "other"
    assert reason(github, payload, "package") == "the repository acme/other is not configured"


@pytest.mark.parametrize("name", ["web/site", "../site", "", "a b"])
def test_a_name_that_no_repository_has(github: GitHub, name: str) -> None:
    payload = {**image(), "repository": None}
    payload["package"]["name"] = name
    said = f"the package {name} belongs to no repository: connect it to one on its page"
    assert reason(github, payload, "package") == said


def test_a_package_belongs_to_the_repository_that_it_is_connected_to(github: GitHub) -> None:
    payload = image()
    payload["package"]["name"] = "site/worker"
    assert isinstance(github.decide(payload, github.conf(on=("package",)), "package"), Runs)
    chosen = github.conf(on=("package",), when='release.name == "site"')
    assert isinstance(github.decide(payload, chosen, "package"), Ignored)


@pytest.mark.parametrize(
    ("package", "of_version", "time"),
    [
        ("2026-01-02T00:00:00Z", "0001-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
        ("2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z", "2026-01-03T00:00:00Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", None),
        (None, None, None),
    ],
)
def test_the_time_of_an_image(package: str | None, of_version: str | None, time: str | None) -> None:
    payload = image(updated_at=package)
    version(payload)["updated_at"] = of_version
    assert parsed(payload).release.published_at == time


@pytest.mark.parametrize("revision", ["", None, "main", COMMIT.upper(), "$(reboot)"])
def test_a_label_that_is_no_commit_is_none(revision: str | None) -> None:
    payload = image()
    version(payload)["container_metadata"]["labels"]["revision"] = revision
    assert parsed(payload).release.commit is None
    version(payload)["container_metadata"]["labels"] = None
    assert parsed(payload).release.commit is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("action", None),
        ("package", []),
        ("package.id", "5"),
        ("package.name", None),
        ("package.updated_at", 5),
        ("package.package_version", "x"),
        ("package.package_version.updated_at", "yesterday"),
        ("package.package_version.html_url", 5),
        ("package.package_version.container_metadata", []),
        ("package.package_version.container_metadata.tag", "v1"),
        ("package.package_version.container_metadata.tag.name", 5),
        ("package.package_version.container_metadata.tag.name", "x" * 1001),
        ("package.package_version.container_metadata.tag.digest", None),
        ("package.package_version.container_metadata.tag.digest", "latest"),
        ("package.package_version.container_metadata.labels", "x"),
        ("repository.id", None),
        ("repository.full_name", 5),
        ("repository", "acme/site"),
        ("sender.login", 5),
    ],
)
def test_what_is_mistyped_is_malformed(path: str, value: Any) -> None:
    payload = image()
    *parents, last = path.split(".")
    table = payload
    for key in parents:
        table = table[key]
    table[last] = value
    with pytest.raises(MalformedError):
        parsed(payload)


def test_without_a_repository_the_owner_is_needed() -> None:
    payload = {**image(), "repository": None}
    payload["package"]["owner"] = None
    with pytest.raises(MalformedError, match=r"owner\.login"):
        parsed(payload)
