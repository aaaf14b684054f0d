"""Pushes, images and builds that GitHub really sent, where these are deployed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.confusion_support import PAYLOADS
from tests.plugins.github.test_real_payloads import event_name, files

from duct_tape_github.receive import KINDS
from duct_tape_github.sample import package_payload, push_payload, workflow_run_payload

if TYPE_CHECKING:
    from tests.plugins.conftest import Server, Start

pytestmark = pytest.mark.skipif(not PAYLOADS.is_dir(), reason="real payloads: there are none in ../shared/payloads")

CONFIGURATION = """
[plugins.github]
secrets = [{{ file = "{folder}/secret" }}]
triggers = ["deploy"]
[plugins.github.repositories."*/*"]
application = "{{{{ release.kind }}}}"
on = ["tag", "branch", "package", "build"]
branches = ["*"]
workflows = ["*"]
"""
DELETED_TAG = "the tag simple-tag was deleted"
UNTAGGED = "the image hello-world-npm has no tag: GitHub sends one more delivery for each tag that it gets"
REQUESTED = "the workflow run is `requested`: only one that has ended well is deployed"
OCTOKIT = "github/octokit-webhooks"
# Kind, tag and first characters of the commit of what is deployed; otherwise the reason.
EXPECTED: dict[str, tuple[str, str, str] | str] = {
    "ghcr/octokit-webhooks/registry_package.published.docker.payload.json": UNTAGGED,
    "github/drone-go-scm/pipeline_hook.json": REQUESTED.replace("requested", "in_progress"),
    "github/drone-go-scm/push.json": ("branch", "master", "199eddf"),
    "github/drone-go-scm/push_branch_create.json": ("branch", "feature-branch", "d2b75aa"),
    "github/drone-go-scm/push_branch_delete.json": "the branch feature-branch was deleted",
    "github/drone-go-scm/push_tag.json": ("tag", "v0.0.1", "d2b75aa"),
    "github/drone-go-scm/push_tag_delete.json": "the tag v0.0.1 was deleted",
    "github/go-playground-webhooks/push.json": ("branch", "master", "fd48986"),
    "github/go-playground-webhooks/workflow_run.json": REQUESTED.replace("requested", "My workflow_run"),
    f"{OCTOKIT}/package/published.docker.payload.json": UNTAGGED,
    f"{OCTOKIT}/package/published.npm.payload.json": "the package hello-world-npm is no container image",
    f"{OCTOKIT}/push/1.payload.json": DELETED_TAG,
    f"{OCTOKIT}/push/payload.json": DELETED_TAG,
    f"{OCTOKIT}/push/with-installation.payload.json": DELETED_TAG,
    f"{OCTOKIT}/push/with-new-branch.payload.json": ("branch", "master", "6113728"),
    f"{OCTOKIT}/push/with-no-username-committer.payload.json": ("branch", "master", "6113728"),
    f"{OCTOKIT}/push/with-organization.payload.json": DELETED_TAG,
    f"{OCTOKIT}/registry_package/published.docker.payload.json": UNTAGGED,
    f"{OCTOKIT}/workflow_run/completed.payload.json": ("build", "master", "3484a3f"),
    f"{OCTOKIT}/workflow_run/completed.with-pull-requests.payload.json": ("build", "master", "3484a3f"),
    f"{OCTOKIT}/workflow_run/requested.payload.json": REQUESTED,
    f"{OCTOKIT}/workflow_run/requested.with-conclusion.payload.json": REQUESTED,
    "github-ghes-3.5/octokit-webhooks/push/payload.json": ("tag", "simple-tag", "6113728"),
}


@pytest.fixture
def deploying(start: Start) -> Server:
    return start(CONFIGURATION)


def those() -> list[Path]:
    return [file for file in files() if event_name(file) in KINDS.keys() - {"release"}]


def payload_of(file: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PAYLOADS / file).read_bytes())
    return found


def test_each_has_its_decision_in_the_table() -> None:
    assert {str(file.relative_to(PAYLOADS)) for file in those()} == EXPECTED.keys()


@pytest.mark.parametrize(("file", "expected"), EXPECTED.items())
def test_each_signed_one_gets_its_answer(deploying: Server, file: str, expected: tuple[str, str, str] | str) -> None:
    answer = deploying.post((PAYLOADS / file).read_bytes(), event_name(PAYLOADS / file))
    runs = deploying.runs()
    if isinstance(expected, str):
        assert (answer.status_code, answer.json()["reason"], runs) == (200, expected, [])
        return
    assert answer.status_code == 202
    [run] = runs
    assert run.event.release is not None
    assert (run.event.release.kind, run.event.release.tag) == expected[:2] == (run.application, expected[1])
    assert (run.event.release.commit or "").startswith(expected[2])


def test_an_image_gets_its_tag_in_a_delivery_of_its_own(deploying: Server) -> None:
    """The recorded ones have none, so this one is given one, as in the documentation's text."""
    payload = payload_of(f"{OCTOKIT}/package/published.docker.payload.json")
    payload["package"]["package_version"]["container_metadata"]["tag"]["name"] = "v1"
    assert deploying.post(payload, "package").status_code == 202
    other = payload_of(f"{OCTOKIT}/registry_package/published.docker.payload.json")
    other["registry_package"]["package_version"]["container_metadata"]["tag"]["name"] = "v1"
    assert deploying.post(other, "registry_package").json()["status"] == "duplicate"


@pytest.mark.parametrize("event", KINDS)
def test_no_payload_passes_for_another_event(deploying: Server, event: str) -> None:
    wrong: dict[str, Any] = {}
    for file in files():
        if event_name(file) != event:
            answer = deploying.post(file.read_bytes(), event)
            if (answer.status_code, answer.json()["status"]) not in ((200, "ignored"), (400, "malformed")):
                wrong[str(file)] = answer.text
    assert wrong == {}
    assert deploying.runs() == []


@pytest.mark.parametrize(
    ("sample", "file"),
    [
        (push_payload("a/b"), f"{OCTOKIT}/push/with-new-branch.payload.json"),
        (workflow_run_payload("a/b"), f"{OCTOKIT}/workflow_run/completed.payload.json"),
        (package_payload("a/b"), f"{OCTOKIT}/package/published.docker.payload.json"),
    ],
)
def test_the_samples_have_the_shape_of_the_real_ones(sample: dict[str, Any], file: str) -> None:
    assert differences(sample, payload_of(file)) == []


def differences(sample: Any, real: Any, path: str = "") -> list[str]:
    """Keys of the sample that the real one lacks, and values of another type."""
    if isinstance(sample, dict) and isinstance(real, dict):
        missing = [f"{path}.{key} is not in the real one" for key in sample.keys() - real.keys()]
        return missing + [
            told for key in sample.keys() & real.keys() for told in differences(sample[key], real[key], f"{path}.{key}")
        ]
    return [] if sample is None or real is None or type(sample) is type(real) else [f"{path} is a {type(sample)}"]
