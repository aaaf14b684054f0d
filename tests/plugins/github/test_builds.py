"""Builds: a workflow that went well is deployed, if only somebody who may write can have caused it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from duct_tape.api import Ignored, MalformedError, PlannedRun, ReleasePublished, Runs
from duct_tape_github import builds, receive
from duct_tape_github.sample import COMMIT, workflow_run_payload

if TYPE_CHECKING:
    from tests.plugins.github.conftest import GitHub

# GitHub's list of events that trigger workflows, but for those that count. Many of them need no right at all.
OTHERS = """
    branch_protection_rule check_run check_suite create delete deployment deployment_status discussion
    discussion_comment dynamic fork gollum issue_comment issues label merge_group milestone page_build public
    pull_request pull_request_comment pull_request_review pull_request_review_comment pull_request_target
    registry_package release repository_vulnerability_alert status watch workflow_call workflow_run
"""
ODD = ["", "PUSH", "push ", "push\n", "pull_request,push"]
FORK = {"id": 666, "name": "site", "full_name": "stranger/site", "fork": True}


def run(**settings: Any) -> dict[str, Any]:
    return workflow_run_payload("acme/site", **settings)


def conf(github: GitHub, **settings: Any) -> Any:
    return github.conf(**{"on": ("build",), "workflows": ("CI",), **settings})


def reason(github: GitHub, payload: dict[str, Any], **settings: Any) -> str:
    decision = github.decide(payload, conf(github, **settings), "workflow_run")
    assert isinstance(decision, Ignored), decision
    return decision.reason


def test_what_a_build_asks_for(github: GitHub) -> None:
    payload = run(run_id=42, attempt=2)
    assert github.decide(payload, conf(github), "workflow_run") == Runs(
        runs=(PlannedRun(application="site.example.com", trigger="deploy"),),
        key=f"build:{payload['repository']['id']}:42:2",
        version="2026-01-02T03:04:05Z",
        title="main",
    )


def parsed(payload: dict[str, Any]) -> ReleasePublished:
    event = receive.parse(receive.simulated("workflow_run", json.dumps(payload).encode()), {"build"})
    assert isinstance(event, ReleasePublished)
    return event


def test_the_version_that_a_build_publishes() -> None:
    release = parsed(run(run_id=42)).release
    assert (release.id, release.kind, release.tag, release.commit) == ("42", "build", "main", COMMIT)
    assert (release.name, release.author) == ("CI", "acme")
    assert release.url == "https://github.com/acme/site/actions/runs/42"


@pytest.mark.parametrize("cause", builds.TRUSTED)
def test_causes_that_need_the_right_to_write(github: GitHub, cause: str) -> None:
    assert isinstance(github.decide(run(event=cause), conf(github), "workflow_run"), Runs)


@pytest.mark.parametrize("cause", [*OTHERS.split(), *ODD])
def test_every_other_cause_deploys_nothing(github: GitHub, cause: str) -> None:
    """Also where everything else is as in a run of the repository's own: branch, repository, commit."""
    said = reason(github, run(event=cause), branches=("*",))
    assert said.startswith(f"the workflow ran because of `{cause}`, which needs no right to write: only `push`, ")


@pytest.mark.parametrize("cause", [*builds.TRUSTED, "pull_request", "pull_request_target", "workflow_run"])
@pytest.mark.parametrize(
    "head", [FORK, None, {**FORK, "full_name": "acme/site"}, {**FORK, "id": run()["repository"]["id"]}]
)
def test_the_commit_of_a_fork_deploys_nothing(github: GitHub, cause: str, head: object) -> None:
    """A fork may call its branch `main`, and its workflow `CI`. Both id and name have to be the repository's."""
    payload = run(event=cause)
    payload["workflow_run"]["head_repository"] = head
    said = reason(github, payload, branches=("*",))
    assert "which needs no right" in said or said == "the workflow ran on the commit of another repository"


def test_a_pull_request_of_the_same_repository_deploys_nothing_either(github: GitHub) -> None:
    payload = run(event="pull_request", branch="main")
    payload["workflow_run"]["pull_requests"] = [{"id": 1, "number": 1}]
    assert "`pull_request`" in reason(github, payload)


def test_a_push_to_a_branch_with_a_pull_request_is_a_push(github: GitHub) -> None:
    payload = run()
    payload["workflow_run"]["pull_requests"] = [{"id": 1, "number": 1}]
    assert isinstance(github.decide(payload, conf(github), "workflow_run"), Runs)


@pytest.mark.parametrize("action", ["requested", "in_progress", "COMPLETED", ""])
def test_only_what_has_ended(github: GitHub, action: str) -> None:
    said = f"the workflow run is `{action}`: only one that has ended well is deployed"
    assert reason(github, run(action=action)) == said


@pytest.mark.parametrize(
    "conclusion",
    ["failure", "cancelled", "skipped", "neutral", "timed_out", "action_required", "stale", "startup_failure", None],
)
def test_only_what_has_ended_well(github: GitHub, conclusion: str | None) -> None:
    said = f"the workflow run ended with `{conclusion or 'nothing'}`: only one that has ended well is deployed"
    assert reason(github, run(conclusion=conclusion)) == said


@pytest.mark.parametrize("branch", [None, ""])
def test_a_run_without_a_branch(github: GitHub, branch: Any) -> None:
    assert reason(github, run(branch=branch)) == "the workflow run belongs to no branch"


def test_another_branch(github: GitHub) -> None:
    assert reason(github, run(branch="topic")) == "the branch topic matches none of main"


@pytest.mark.parametrize(
    ("patterns", "fits"),
    [
        (("CI",), True),
        (("ci.yml",), True),
        (("x", "C?"), True),
        (("ci",), False),
        (("*.yaml",), False),
        (("CI*",), True),
    ],
)
def test_workflows_are_known_by_name_or_file(github: GitHub, patterns: tuple[str, ...], fits: bool) -> None:
    decision = github.decide(run(), conf(github, workflows=patterns), "workflow_run")
    if fits:
        assert isinstance(decision, Runs)
    else:
        assert decision == Ignored(reason=f"the workflow CI matches none of {', '.join(patterns)}")


def test_the_name_of_a_run_is_no_name_of_a_workflow(github: GitHub) -> None:
    """`run-name` may be whatever somebody writes into a commit."""
    payload = run(workflow="Greet")
    payload["workflow"]["path"] = ".github/workflows/greet.yml"
    payload["workflow_run"] |= {"name": "CI", "display_title": "CI", "path": "ci.yml"}
    assert reason(github, payload) == "the workflow Greet matches none of CI"


@pytest.mark.parametrize("workflow", [None, {}, {"name": None}, {"name": ""}])
def test_a_workflow_without_a_name(github: GitHub, workflow: object) -> None:
    payload = {**run(), "workflow": workflow}
    assert reason(github, payload) == "the workflow without a name matches none of CI"
    assert reason(github, payload, workflows=("*",)) == "the workflow without a name matches none of *"


def test_a_repository_that_wants_no_builds(github: GitHub) -> None:
    repositories: dict[str, Any] = {
        "acme/site": {"application": "site"},
        "acme/blog": {"application": "blog", "on": ("build",), "workflows": ("CI",)},
    }
    said = "`on` does not name `build` for this repository: main is not deployed"
    assert github.decide(run(), github.confs(repositories), "workflow_run") == Ignored(reason=said)


def test_a_repeated_run_is_no_newer_and_can_be_deployed_again() -> None:
    first, again = parsed(run()), parsed(run(attempt=2))
    assert first.key != again.key
    assert first.release.published_at == again.release.published_at
    payload = run()
    payload["workflow_run"] |= {"updated_at": "2027-01-01T00:00:00Z", "run_started_at": "2027-01-01T00:00:00Z"}
    assert parsed(payload).release.published_at == "2026-01-02T03:04:05Z"
    del payload["workflow_run"]["run_attempt"]
    assert parsed(payload).key == first.key


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("action", None),
        ("workflow_run", []),
        ("workflow_run.id", "1"),
        ("workflow_run.run_attempt", "2"),
        ("workflow_run.conclusion", True),
        ("workflow_run.event", None),
        ("workflow_run.event", ["push"]),
        ("workflow_run.head_repository", "acme/site"),
        ("workflow_run.head_repository.id", None),
        ("workflow_run.head_repository.full_name", None),
        ("workflow_run.head_branch", 5),
        ("workflow_run.head_branch", "x" * 1001),
        ("workflow_run.head_sha", "main"),
        ("workflow_run.html_url", 5),
        ("workflow_run.created_at", "yesterday"),
        ("workflow", "CI"),
        ("workflow.name", 5),
        ("workflow.path", []),
        ("repository.id", None),
        ("repository.full_name", []),
        ("sender", 5),
    ],
)
def test_what_is_mistyped_is_malformed(path: str, value: Any) -> None:
    payload = run()
    *parents, last = path.split(".")
    table = payload
    for key in parents:
        table = table[key]
    table[last] = value
    with pytest.raises(MalformedError):
        parsed(payload)
