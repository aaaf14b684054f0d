"""Payloads that GitLab really sent. They are data of others and lie beside the repository, not in it."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.plugins.gitlab.read_support import READ
from tests.senders_support import mistyped

from duct_tape.api import Decision, MalformedError, Runs
from duct_tape.testing import Harness

if TYPE_CHECKING:
    from tests.plugins.gitlab.conftest import GitLab

PAYLOADS = Path(__file__).parents[4] / "shared" / "payloads"

pytestmark = pytest.mark.skipif(not PAYLOADS.is_dir(), reason="real payloads: there are none in ../shared/payloads")

TOKEN = "a token of this test"
KEY = b"a signing key of 32 bytes, right"
NOTHING = "`{}` publishes nothing that can be deployed"
# Each payload with what is decided about it: kind and tag of what is deployed, or the reason.
DECISIONS: dict[str, tuple[str, str] | str] = {
    "drone-go-scm/branch_create.json": ("branch", "feature"),
    "drone-go-scm/branch_delete.json": NOTHING.format("push delete"),
    "drone-go-scm/branch_delete_subgroup.json": NOTHING.format("push delete"),
    "drone-go-scm/issue_create.json": NOTHING.format("issue"),
    "drone-go-scm/pipeline_hook.json": NOTHING.format("pipeline success of merge_request_event"),
    "drone-go-scm/pipeline_subgroup.json": NOTHING.format("pipeline success of merge_request_event"),
    "drone-go-scm/push.json": ("branch", "master"),
    "drone-go-scm/push_merge.json": ("branch", "master"),
    "drone-go-scm/push_subgroup.json": ("branch", "master"),
    "drone-go-scm/tag_create.json": ("tag", "v1.0.0"),
    "drone-go-scm/tag_delete.json": NOTHING.format("tag_push delete"),
    "drone-go-scm/tag_delete_subgroup.json": NOTHING.format("tag_push delete"),
    "go-playground-webhooks/deployment-event.json": NOTHING.format("deployment"),
    "go-playground-webhooks/push-event.json": ("branch", "master"),
    "go-playground-webhooks/release-event.json": ("release", "v1.1"),
    "go-playground-webhooks/system-group-created.json": NOTHING.format("system hook group_create"),
    "go-playground-webhooks/system-project-created.json": NOTHING.format("system hook project_create"),
    "go-playground-webhooks/system-push-event.json": NOTHING.format("system hook push"),
    "go-playground-webhooks/system-tag-event.json": NOTHING.format("system hook tag_push"),
    "go-playground-webhooks/system-user-created.json": NOTHING.format("system hook user_create"),
    "go-playground-webhooks/tag-event.json": ("tag", "v1.0.0"),
}
CONFIGURATION = """
[triggers.deploy]
action = "touch-file"
[plugins.touch-file]
[plugins.gitlab]
{secret}
triggers = ["deploy"]
[plugins.gitlab.repositories."*"]
application = "application"
on = ["release", "tag", "branch", "build"]
branches = ["*"]
"""


def signed(body: bytes) -> dict[str, str]:
    """The headers of GitLab's signing token, worked out beside the product."""
    moment = str(int(time.time()))
    digest = hmac.digest(KEY, b"an-idempotency-key." + moment.encode() + b"." + body, "sha256")
    signature = f"v1,{base64.b64encode(digest).decode()}"
    return {"webhook-id": "an-idempotency-key", "webhook-timestamp": moment, "webhook-signature": signature}


def with_token(body: bytes) -> dict[str, str]:
    return {"X-Gitlab-Token": TOKEN}


WAYS = {
    "token": ('secrets = [{ env = "TOKEN" }]', with_token),
    "signature": ('signing_secrets = [{ env = "KEY" }]', signed),
}


@pytest.fixture(params=WAYS)
def way(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, Callable[[bytes], dict[str, str]]]:
    """How GitLab proves that it is GitLab: a line of configuration, and headers for a body."""
    monkeypatch.setenv("TOKEN", TOKEN)
    monkeypatch.setenv("KEY", f"whsec_{base64.b64encode(KEY).decode()}")
    return WAYS[request.param]


def test_each_payload_has_its_decision_in_the_table() -> None:
    folder = PAYLOADS / "gitlab"
    assert {str(file.relative_to(folder)) for file in folder.rglob("*.json")} == DECISIONS.keys()


@pytest.mark.parametrize(("file", "expected"), DECISIONS.items())
def test_a_real_delivery_gets_its_answer(
    ducttape: Callable[..., Harness],
    way: tuple[str, Callable[[bytes], dict[str, str]]],
    file: str,
    expected: tuple[str, str] | str,
) -> None:
    secret, headers = way
    server = ducttape(CONFIGURATION.format(secret=secret))
    body = (PAYLOADS / "gitlab" / file).read_bytes()
    assert server.post("gitlab", body).status_code == 401
    assert server.post("gitlab", body + b" ", {**headers(body), "X-Gitlab-Token": ""}).status_code == 401
    answer = server.post("gitlab", body, headers(body))
    found = [(run.event.release.kind, run.event.release.tag) for run in server.runs() if run.event.release]
    if isinstance(expected, str):
        assert (answer.status_code, answer.json()["reason"], found) == (200, expected, [])
    else:
        assert (answer.status_code, found) == (202, [expected])
        assert server.post("gitlab", body, headers(body)).json()["status"] == "duplicate"


def decided(gitlab: GitLab, payload: dict[str, Any]) -> Decision | None:
    try:
        return gitlab.decide(payload, gitlab.conf("*", branches=("*",)))
    except MalformedError:
        return None


@pytest.mark.parametrize("file", [file for file, expected in DECISIONS.items() if not isinstance(expected, str)])
def test_no_mistyped_value_of_a_real_payload_deploys(gitlab: GitLab, file: str) -> None:
    expected = DECISIONS[file]
    payload = json.loads((PAYLOADS / "gitlab" / file).read_bytes())
    assert isinstance(decided(gitlab, payload), Runs)
    read = {path: types for path, types in READ[expected[0]].items() if path != "user_username" or path in payload}
    for where, wrong in mistyped(payload, read):
        assert not isinstance(decided(gitlab, wrong), Runs), where


REAL = {
    "release": "go-playground-webhooks/release-event.json",
    "tag": "drone-go-scm/tag_create.json",
    "branch": "drone-go-scm/push_subgroup.json",
    "build": "drone-go-scm/pipeline_subgroup.json",
}


@pytest.mark.parametrize("kind", REAL)
def test_the_samples_have_the_shape_of_the_real_ones(gitlab: GitLab, kind: str) -> None:
    real = json.loads((PAYLOADS / "gitlab" / REAL[kind]).read_bytes())
    assert differences(gitlab.payload(kind), real) == []


def differences(sample: Any, real: Any, path: str = "") -> list[str]:
    if isinstance(sample, dict) and isinstance(real, dict):
        missing = [f"{path}.{key} is not in the real one" for key in sample.keys() - real.keys()]
        return missing + [
            text for key in sample.keys() & real.keys() for text in differences(sample[key], real[key], f"{path}.{key}")
        ]
    return [] if type(sample) is type(real) or None in (sample, real) else [f"{path} is a {type(sample).__name__}"]
