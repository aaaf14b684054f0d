"""One webhook of an organization, and patterns of repositories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from duct_tape.api import Check, Ignored, Runs
from duct_tape_github import background, receive
from duct_tape_github.sample import package_payload, push_payload, release_payload

if TYPE_CHECKING:
    from tests.plugins.conftest import Configure, Start
    from tests.plugins.github.conftest import GitHub

LAST = "{{ repository.split('/') | last }}"
HEAD = '[plugins.github]\nsecrets = [{{ file = "{folder}/secret" }}]\ntriggers = ["deploy"]\n'


def text(name: str, application: str, more: str = "") -> str:
    braces = application.replace("{", "{{").replace("}", "}}")
    return f'[plugins.github.repositories."{name}"]\napplication = "{braces}"\n{more}'


def deployed(github: GitHub, repositories: dict[str, Any], name: str) -> str:
    decision = github.decide(release_payload(name), github.confs(repositories))
    return decision.runs[0].application if isinstance(decision, Runs) else decision.reason  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "application"),
    [
        ("acme/site", "exact"),
        ("Acme/Site", "exact"),
        ("acme/web-shop", "web"),
        ("ACME/WEB-shop", "web"),
        ("acme/api", "api"),
        ("acme/.github", "the application's name cannot be made: ''.github''"),
        ("other/site", "the repository other/site is not configured"),
        ("acmee/site", "the repository acmee/site is not configured"),
    ],
)
def test_the_name_goes_first_then_the_first_pattern(github: GitHub, name: str, application: str) -> None:
    repositories: dict[str, Any] = {
        "acme/web-*": {"application": "web"},
        "acme/*": {"application": LAST},
        "acme/site": {"application": "exact"},
    }
    found = deployed(github, repositories, name)
    if name.endswith(".github"):
        assert "cannot be an application" in found
    else:
        assert found == application


@pytest.mark.parametrize("name", ["acme/a/b", "acme/..", "acme/.", "acme/a b", "acme/", "acme/a\u212a", "acme"])
def test_a_pattern_stands_for_names_that_github_has(github: GitHub, name: str) -> None:
    found = deployed(github, {"acme/*": {"application": LAST}}, name)
    assert found == f"the repository {name} is not configured"


def test_a_package_of_no_repository_matches_by_its_own_name_only(github: GitHub) -> None:
    conf = github.confs({"acme/*": {"application": LAST, "on": ("package",)}})
    payload = {**package_payload("acme/shop"), "repository": None}
    decision = github.decide(payload, conf, "package")
    assert isinstance(decision, Runs)
    assert decision.runs[0].application == "shop"
    payload["package"]["name"] = "x/shop"
    assert isinstance(github.decide(payload, conf, "package"), Ignored)


def test_one_webhook_deploys_all_repositories_of_an_organization(start: Start) -> None:
    server = start(HEAD + text("acme/*", LAST, 'on = ["release", "branch"]\n') + text("acme/site", "www"))
    assert server.post({"zen": "x", "hook": {"events": ["release", "push"]}}, "ping").json()["configured"] is True
    for name in ("acme/site", "acme/api", "acme/blog"):
        assert server.post(release_payload(name)).status_code == 202
    assert server.post(push_payload("acme/api"), "push").status_code == 202
    assert server.post(push_payload("acme/site"), "push").json()["status"] == "ignored"
    found = [run.application for run in server.runs()]
    assert found == ["www", "api", "blog", "api"]


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("acme/*", True),
        ("*/*", True),
        ("acme/[a-z]*", True),
        ("acme/we?", True),
        ("*", False),
        ("acme", False),
        ("acme/*/x", False),
        ("https://github.com/acme/*", False),
    ],
)
def test_patterns_have_an_owner_and_a_name(configure: Configure, name: str, good: bool) -> None:
    problems = [str(problem) for problem in configure(HEAD + text(name, "x")).problems]
    assert problems == [] if good else ["is not a repository" in problem for problem in problems] == [True]


def test_builds_need_to_know_their_workflow(configure: Configure) -> None:
    [problem] = configure(HEAD + text("acme/site", "x", 'on = ["build"]\n')).problems
    assert "`build` without `workflows` means any workflow, in plugins.github" in str(problem)
    assert not configure(HEAD + text("acme/site", "x", 'on = ["build"]\nworkflows = ["CI"]\n')).problems


def test_whoever_wants_nothing_deployed_leaves_the_repository_out(configure: Configure) -> None:
    [problem] = configure(HEAD + text("acme/site", "x", "on = []\n")).problems
    assert "`on` is empty, in plugins.github" in str(problem)


def test_an_unknown_kind_is_a_problem(configure: Configure) -> None:
    [problem] = configure(HEAD + text("acme/site", "x", 'on = ["relase"]\n')).problems
    assert "did you mean `release`?" in str(problem)


def test_missed_releases_are_found_where_names_are_known(github: GitHub) -> None:
    conf = github.confs(
        {
            "acme/site": {"application": "site"},
            "acme/*": {"application": LAST},
            "acme/own": {"application": LAST},
            "acme/pushed": {"application": "x", "on": ("branch",)},
        }
    )
    assert list(conf.named) == ["acme/site", "acme/own", "acme/pushed"]
    assert list(conf.caught_up) == ["acme/site"]
    told = "its missed releases are not found: that needs the name of a repository, and of its application"
    assert background._left_out(conf) == [
        Check(name=f"catching up with {name}", healthy=True, detail=told) for name in ("acme/*", "acme/own")
    ]


def test_only_what_is_configured_is_read() -> None:
    assert receive.KINDS.keys() == {"release", "push", "package", "registry_package", "workflow_run"}
