"""What GitLab's deliveries say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from duct_tape.api import (
    MalformedError,
    RawDelivery,
    Release,
    ReleasePublished,
    Secret,
    SignatureError,
    UnsupportedMediaError,
)
from duct_tape_gitlab import receive
from duct_tape_gitlab.conf import GitLabConf

if TYPE_CHECKING:
    from tests.plugins.gitlab.conftest import GitLab

# Of the specification of Standard Webhooks.
KEY = Secret("test", b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
OLD = Secret("test", b"an older token of this test")


def released(payload: dict[str, Any], gitlab: GitLab) -> Release:
    event = gitlab.event(payload)
    assert isinstance(event, ReleasePublished)
    return event.release


def test_a_token_proves_who_it_is_and_each_of_several_does(gitlab: GitLab) -> None:
    verifier = receive.verifier(GitLabConf(secrets=(gitlab.token, OLD)))
    for token in (gitlab.token, OLD):
        verifier.verify(RawDelivery.build({"X-Gitlab-Token": token.reveal().decode()}, b"{}"))
    for headers in ({}, {"X-Gitlab-Token": ""}, {"X-Gitlab-Token": "another"}):
        with pytest.raises(SignatureError):
            verifier.verify(RawDelivery.build(headers, b"{}"))


def test_where_a_signature_is_configured_the_token_alone_counts_for_nothing(gitlab: GitLab) -> None:
    verifier = receive.verifier(GitLabConf(signing_secrets=(KEY,), secrets=(gitlab.token,)))
    token = RawDelivery.build({"X-Gitlab-Token": gitlab.token.reveal().decode()}, b"{}")
    with pytest.raises(SignatureError):
        verifier.admit(token)
    with pytest.raises(SignatureError):
        verifier.verify(token.with_header("webhook-id", "1"))
    verifier.verify(verifier.sign(token))


def test_a_release_is_read(gitlab: GitLab) -> None:
    event = gitlab.event(gitlab.payload())
    assert (event.name, event.action, event.repository) == ("release", "create", "group/sub/site")
    release = released(gitlab.payload(), gitlab)
    assert (release.kind, release.tag, release.name) == ("release", "v1.0.0", "Release v1.0.0")
    assert release.published_at == "2026-01-02T03:04:05Z"
    assert release.url == "https://gitlab.com/group/sub/site/-/releases/v1.0.0"
    assert (len(release.commit or ""), release.prerelease, release.draft) == (40, False, False)


@pytest.mark.parametrize("action", ["update", "delete", "another"])
def test_only_a_new_release_is_a_version(gitlab: GitLab, action: str) -> None:
    event = gitlab.event(gitlab.payload() | {"action": action})
    assert (type(event).__name__, event.action) == ("Event", action)


@pytest.mark.parametrize(("kind", "name"), [("tag", "v1/0"), ("branch", "feature/x")])
def test_a_push_is_read(gitlab: GitLab, kind: str, name: str) -> None:
    payload = gitlab.payload(kind, name)
    release = released(payload, gitlab)
    assert (release.kind, release.tag, release.commit) == (kind, name, payload["after"])
    assert release.url == f"https://gitlab.com/group/sub/site/-/commit/{payload['after']}"
    assert (release.author, release.published_at) == ("octocat", None)


@pytest.mark.parametrize("kind", ["tag", "branch"])
@pytest.mark.parametrize("gone", [{"after": "0" * 40}, {"after": "0" * 64}, {"checkout_sha": None}])
def test_a_deletion_publishes_nothing(gitlab: GitLab, kind: str, gone: dict[str, Any]) -> None:
    event = gitlab.event(gitlab.payload(kind) | gone)
    assert (event.release, event.action) == (None, "delete")


def test_an_annotated_tag_is_known_by_its_commit(gitlab: GitLab) -> None:
    payload = gitlab.payload("tag")
    annotated = payload | {"after": "f" * 40}
    assert released(annotated, gitlab) == released(payload, gitlab)


@pytest.mark.parametrize(("kind", "ref"), [("tag", "refs/heads/v1"), ("branch", "refs/tags/v1"), ("tag", "v1")])
def test_a_ref_of_another_kind_is_malformed(gitlab: GitLab, kind: str, ref: str) -> None:
    with pytest.raises(MalformedError, match="`ref` does not begin with refs/"):
        gitlab.event(gitlab.payload(kind) | {"ref": ref})


def test_a_pipeline_is_read_and_is_as_old_as_its_beginning(gitlab: GitLab) -> None:
    payload = gitlab.payload("build")
    payload["object_attributes"]["finished_at"] = "2026-01-02 04:00:00 UTC"
    event = gitlab.event(payload)
    assert isinstance(event, ReleasePublished)
    release = event.release
    assert (release.kind, release.tag, release.commit) == ("build", "main", payload["object_attributes"]["sha"])
    assert (event.version, release.published_at) == ("2026-01-02T03:04:05Z", "2026-01-02T04:00:00Z")


@pytest.mark.parametrize("status", ["running", "failed", "canceled", "skipped", "manual", "SUCCESS", ""])
def test_only_success_is_a_build(gitlab: GitLab, status: str) -> None:
    payload = gitlab.payload("build")
    payload["object_attributes"]["status"] = status
    assert gitlab.event(payload).release is None


@pytest.mark.parametrize(
    "change",
    [
        {"source": "merge_request_event"},
        {"source": "external_pull_request_event"},
        {"source": "parent_pipeline"},
        {"source": "ondemand_dast_scan"},
        {"tag": True},
    ],
    ids=str,
)
def test_a_pipeline_that_says_nothing_of_its_branch_is_no_build(gitlab: GitLab, change: dict[str, Any]) -> None:
    payload = gitlab.payload("build")
    payload["object_attributes"] |= change
    assert gitlab.event(payload).release is None


def test_a_pipeline_with_a_merge_request_is_no_build_whatever_its_source(gitlab: GitLab) -> None:
    """Its `ref` is the branch to be merged: `main`, where it comes from the `main` of a fork."""
    assert gitlab.event(gitlab.payload("build") | {"merge_request": {"source_branch": "main"}}).release is None


def test_the_id_is_the_one_that_stays_when_gitlab_sends_again(gitlab: GitLab) -> None:
    ids = {"Idempotency-Key": "a", "X-Gitlab-Event-UUID": "b", "X-Gitlab-Webhook-UUID": "c"}
    assert gitlab.event(gitlab.payload(), ids).delivery == "a"
    assert gitlab.event(gitlab.payload(), {**ids, "webhook-id": "signed"}).delivery == "signed"


def test_the_id_of_a_chain_of_hooks_is_none_of_a_delivery(gitlab: GitLab) -> None:
    """A release that makes its tag causes two deliveries with one X-Gitlab-Event-UUID."""
    chain = {"X-Gitlab-Event-UUID": "b", "X-Gitlab-Webhook-UUID": "c"}
    release, tag = (gitlab.event(gitlab.payload(kind), chain).delivery for kind in ("release", "tag"))
    assert release != tag
    assert release == gitlab.event(gitlab.payload(), {**chain, "X-Gitlab-Webhook-UUID": "d"}).delivery


def test_what_the_header_says_counts_for_nothing(gitlab: GitLab) -> None:
    event = gitlab.event(gitlab.payload(), {"X-Gitlab-Event": "Issue Hook"})
    assert isinstance(event, ReleasePublished)


@pytest.mark.parametrize("name", ["issue", "note", "deployment", "merge_request", "something new"])
def test_other_events_are_events(gitlab: GitLab, name: str) -> None:
    assert gitlab.event({"object_kind": name}).name == name


def test_a_system_hook_is_an_event(gitlab: GitLab) -> None:
    event = gitlab.event({"event_name": "project_create"})
    assert (event.name, event.action) == ("system hook", "project_create")


def test_a_template_of_ones_own_is_named_as_the_cause(gitlab: GitLab) -> None:
    with pytest.raises(MalformedError, match="remove the custom template"):
        gitlab.event({"text": "v1.0.0 is out"})


def test_only_json_is_read(gitlab: GitLab) -> None:
    with pytest.raises(UnsupportedMediaError):
        gitlab.event(gitlab.payload(), {"Content-Type": "application/x-www-form-urlencoded"})
