"""Signatures of Gitea, Forgejo and Gogs, and what their deliveries say."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.plugins.gitea.conftest import SECRET, Gitea

from duct_tape.api import MalformedError, RawDelivery, ReleasePublished, SignatureError, UnsupportedMediaError
from duct_tape_gitea import receive
from duct_tape_gitea.receive import Flavour

BODY = b'{"zen": "a + b & c = \xc3\xa4"}'
FORM = "application/x-www-form-urlencoded"
COMMIT, OTHER, NOWHERE = "a" * 40, "b" * 40, "0" * 40


def digest(body: bytes) -> str:
    return hmac.new(SECRET.reveal(), body, hashlib.sha256).hexdigest()


def delivery(
    body: bytes, signature: str, kind: str = "application/json", name: str = "X-Gitea-Signature"
) -> RawDelivery:
    return RawDelivery.build({"Content-Type": kind, name: signature}, body)


def refused(request: RawDelivery, flavour: Flavour = "gitea") -> bool:
    try:
        receive.verifier([SECRET], flavour).verify(request)
    except SignatureError:
        return True
    return False


@pytest.mark.parametrize("flavour", ["gitea", "forgejo", "gogs"])
def test_each_flavour_has_its_own_header(flavour: Flavour) -> None:
    names = {f"X-{name}-Signature": name.lower() for name in ("Gitea", "Forgejo", "Gogs")}
    for name, other in names.items():
        assert refused(delivery(BODY, digest(BODY), name=name), flavour) is (other != flavour)


def test_a_form_is_signed_by_its_json() -> None:
    form = urlencode({"payload": BODY}).encode()
    assert not refused(delivery(form, digest(BODY), FORM))
    assert refused(delivery(form, digest(form), FORM))
    assert refused(delivery(form.replace(b"zen", b"nez"), digest(BODY), FORM))


@pytest.mark.parametrize("form", [b"", b"payload", b"payload=a&payload=b", b"other=x", b"payload=%ff"])
def test_a_body_that_is_no_form_is_refused(form: bytes) -> None:
    assert refused(delivery(form, digest(form), FORM))


def test_a_large_form_is_not_decoded_for_a_stranger() -> None:
    text = "x" * receive.MAX_FORM
    assert refused(delivery(urlencode({"payload": text}).encode(), digest(text.encode()), FORM))
    assert not refused(delivery(text.encode(), digest(text.encode())))


@pytest.mark.parametrize("made", ["", "sha256=" + digest(BODY), digest(BODY).upper(), digest(b""), digest(BODY)[:8]])
def test_any_other_signature_is_refused(made: str) -> None:
    assert refused(delivery(BODY, made))


def test_a_body_of_another_type_is_refused() -> None:
    assert refused(delivery(BODY, digest(BODY), "text/plain"))
    with pytest.raises(UnsupportedMediaError):
        receive.signed(delivery(BODY, "", "text/plain"))


def test_the_secret_in_an_old_payload_is_dropped(gitea: Gitea) -> None:
    told = gitea.payload() | {"secret": "hunter2"}
    event = receive.parse(gitea.delivery(told))
    assert "hunter2" not in json.dumps(event.variables())
    assert event.payload == gitea.payload()


def test_a_release_has_the_members_of_a_release(gitea: Gitea) -> None:
    event = receive.parse(gitea.delivery(gitea.payload(prerelease=True)))
    assert isinstance(event, ReleasePublished)
    release = event.release
    assert (event.name, event.action, event.repository) == ("release", "published", "acme/site")
    assert (release.kind, release.tag, release.prerelease, release.draft) == ("release", "v1.0.0", True, False)
    assert (release.published_at, release.author, release.commit) == ("2026-01-02T03:04:05Z", "acme", "main")
    assert (release.name, release.url) == (
        "Release v1.0.0",
        "https://git.example.com/acme/site/releases/tag/v1.0.0",
    )


def test_gogs_only_tells_when_a_release_was_created() -> None:
    gogs = Gitea.of("gogs")
    payload = gogs.payload(created_at="2026-03-04T06:06:07+01:00")
    del payload["release"]["published_at"]
    event = receive.parse(gogs.delivery(payload), "gogs")
    assert event.release is not None
    assert event.release.published_at == "2026-03-04T05:06:07Z"


@pytest.mark.parametrize(
    ("event", "changes"),
    [
        ("create", {}),
        ("create", {"ref": "refs/tags/v1.0.0"}),
        ("push", {"ref": "refs/tags/v1.0.0", "before": NOWHERE}),
    ],
)
def test_a_tag_is_the_same_version_whichever_event_tells_of_it(gitea: Gitea, event: str, changes: Any) -> None:
    payload = gitea.payload("tag", sha=COMMIT) | {"after": COMMIT} | changes
    found = receive.parse(gitea.delivery(payload, event))
    assert isinstance(found, ReleasePublished)
    release = found.release
    assert (release.kind, release.tag, release.id, release.commit) == ("tag", "v1.0.0", COMMIT, COMMIT)
    assert (found.key, found.version) == (None, None)


def test_a_push_to_a_branch(gitea: Gitea) -> None:
    payload = gitea.payload("branch", "feature/x", before=OTHER, after=COMMIT)
    found = receive.parse(gitea.delivery(payload, "push"))
    assert isinstance(found, ReleasePublished)
    assert (found.release.kind, found.release.tag, found.release.commit) == ("branch", "feature/x", COMMIT)
    assert found.key == f"branch:acme/site:feature/x:{OTHER}:{COMMIT}:2026-01-02T03:04:05Z"


@pytest.mark.parametrize(
    ("event", "payload", "action"),
    [
        ("push", {"ref": "refs/heads/main", "before": COMMIT, "after": NOWHERE}, "deleted"),
        ("push", {"ref": "refs/heads/main", "before": COMMIT, "after": COMMIT}, receive.TESTED),
        ("push", {"ref": "refs/for/main", "before": OTHER, "after": COMMIT}, "of another kind"),
        ("create", {"ref": "main", "ref_type": "branch", "sha": COMMIT}, "branch"),
        ("delete", {"ref": "v1.0.0", "ref_type": "tag"}, ""),
        ("issues", {"action": "opened"}, "opened"),
        ("issues", {"action": 3}, ""),
    ],
)
def test_what_publishes_nothing(gitea: Gitea, event: str, payload: dict[str, Any], action: str) -> None:
    found = receive.parse(gitea.delivery({**payload, "repository": {"full_name": "acme/site"}}, event))
    assert not isinstance(found, ReleasePublished)
    assert (found.name, found.action, found.repository) == (event, action, "acme/site")


@pytest.mark.parametrize("commit", ["", "main", "A" * 40, "a" * 41, "a" * 39])
def test_a_commit_is_a_commit(gitea: Gitea, commit: str) -> None:
    with pytest.raises(MalformedError, match="`sha` is no commit"):
        receive.parse(gitea.delivery(gitea.payload("tag", sha=commit), "create"))


@pytest.mark.parametrize("name", ["X-Gitea-Event", "X-Gitea-Delivery"])
def test_both_headers_are_needed(gitea: Gitea, name: str) -> None:
    whole = gitea.delivery(gitea.payload())
    lacking = RawDelivery.build([pair for pair in whole.headers if pair[0] != name.lower()], whole.body)
    with pytest.raises(MalformedError, match=name):
        receive.parse(lacking)
