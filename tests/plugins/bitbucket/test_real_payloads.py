"""Payloads that Bitbucket really sent. They are data of others and lie beside the repository, not in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.plugins.bitbucket.conftest import SECRET
from tests.senders_support import PAYLOADS, needs_payloads, payloads

from duct_tape.api import RawDelivery, Sample, Secret
from duct_tape.testing import Harness
from duct_tape_bitbucket import receive
from duct_tape_bitbucket.receive import PUSH, REFS_CHANGED, Flavour
from duct_tape_bitbucket.sample import sample

pytestmark = needs_payloads

DELETED = "`repo:push deleted` publishes nothing that can be deployed"
REMOVED = "`repo:refs_changed delete` publishes nothing that can be deployed"
OTHER = "`{}` publishes nothing that can be deployed"
# Each with its event, and what is told of it: the name of what is deployed, or the reason why nothing is.
TABLE = {
    "bitbucket-cloud/drone-go-scm/pipeline_hook_created.json": ("repo:commit_status_created", ""),
    "bitbucket-cloud/drone-go-scm/pipeline_hook_update.json": ("repo:commit_status_updated", ""),
    "bitbucket-cloud/drone-go-scm/push.json": (PUSH, "master"),
    "bitbucket-cloud/drone-go-scm/push_branch_create.json": (PUSH, "develop"),
    "bitbucket-cloud/drone-go-scm/push_branch_delete.json": (PUSH, DELETED),
    "bitbucket-cloud/drone-go-scm/push_tag_create.json": (PUSH, "feature/x"),
    "bitbucket-cloud/drone-go-scm/push_tag_delete.json": (PUSH, DELETED),
    "bitbucket-cloud/go-playground-webhooks/commit-comment-created.json": ("repo:commit_comment_created", ""),
    "bitbucket-cloud/go-playground-webhooks/issue-comment-created.json": ("issue:comment_created", ""),
    "bitbucket-cloud/go-playground-webhooks/issue-created.json": ("issue:created", ""),
    "bitbucket-cloud/go-playground-webhooks/pull-request-comment-created.json": ("pullrequest:comment_created", ""),
    "bitbucket-cloud/go-playground-webhooks/pull-request-created.json": ("pullrequest:created", ""),
    "bitbucket-cloud/go-playground-webhooks/repo-commit-status-created.json": ("repo:commit_status_created", ""),
    "bitbucket-cloud/go-playground-webhooks/repo-push.json": (PUSH, "name-of-branch"),
    "bitbucket-server/drone-go-scm/push.json": (REFS_CHANGED, "master"),
    "bitbucket-server/drone-go-scm/push_branch_create.json": (REFS_CHANGED, "develop"),
    "bitbucket-server/drone-go-scm/push_branch_delete.json": (REFS_CHANGED, REMOVED),
    "bitbucket-server/drone-go-scm/push_tag_create.json": (REFS_CHANGED, "v1.1.0"),
    "bitbucket-server/drone-go-scm/push_tag_delete.json": (REFS_CHANGED, REMOVED),
    "bitbucket-server/drone-go-scm/push_v5.json": (REFS_CHANGED, "trangineni/devtfvars-1685475548410"),
    "bitbucket-server/go-playground-webhooks/repo-refs-changed.json": (REFS_CHANGED, REMOVED),
}
CONFIGURATION = """
[triggers.deploy]
action = "touch-file"
[plugins.touch-file]
[plugins.bitbucket]
secrets = [{{ file = "{secret}" }}]
triggers = ["deploy"]
[plugins.bitbucket.repositories."*/*"]
application = "site"
on = ["tag", "branch"]
branches = ["*"]
"""


def test_each_payload_has_its_answer_in_the_table() -> None:
    assert payloads("bitbucket-cloud", "bitbucket-server") == sorted(TABLE)


@pytest.mark.parametrize(("file", "expected"), TABLE.items())
def test_a_signed_payload_gets_its_answer(file: str, expected: tuple[str, str], tmp_path: Path) -> None:
    event, told = expected
    (tmp_path / "secret").write_bytes(SECRET.reveal())
    signed = receive.verifier([SECRET]).sign(receive.simulated(event, (PAYLOADS / file).read_bytes()))
    with Harness(tmp_path / "server", CONFIGURATION.format(secret=tmp_path / "secret")) as harness:
        path = "/integrations/bitbucket"
        answer = harness.client.post(path, content=signed.body, headers=list(signed.headers))
        harness.settle()
        titles = [run.event.release.tag for run in harness.runs() if run.event.release]
        flags = list(harness.flags())
    if told.endswith("deployed") or not told:
        assert (answer.status_code, answer.json()["reason"], titles) == (200, told or OTHER.format(event), [])
    else:
        assert (answer.status_code, titles, flags) == (202, [told], ["site"])


def test_known_signatures() -> None:
    known = json.loads((PAYLOADS / "signatures.json").read_bytes())
    verifier = receive.verifier([Secret("test", known["secret"].encode())])
    found = [vector for vector in known["vectors"] if vector["file"] in TABLE]
    assert len(found) == len(TABLE)
    for vector in found:
        headers = {"X-Hub-Signature": f"sha256={vector['hmac_sha256']}"}
        verifier.verify(RawDelivery.build(headers, (PAYLOADS / vector["file"]).read_bytes()))


@pytest.mark.parametrize(
    ("flavour", "kind", "file"),
    [
        ("cloud", "tag", "bitbucket-cloud/drone-go-scm/push_tag_create.json"),
        ("cloud", "branch", "bitbucket-cloud/drone-go-scm/push_branch_create.json"),
        ("data-center", "tag", "bitbucket-server/drone-go-scm/push_tag_create.json"),
        ("data-center", "branch", "bitbucket-server/drone-go-scm/push_branch_create.json"),
    ],
)
def test_the_samples_have_the_shape_of_the_real_ones(flavour: Flavour, kind: str, file: str) -> None:
    real = json.loads((PAYLOADS / file).read_bytes())
    made = json.loads(sample(Sample(kind=kind), flavour).body)
    assert differences(made, real) == []


def differences(made: object, real: object, path: str = "") -> list[str]:
    if isinstance(made, dict) and isinstance(real, dict):
        # Atlassian added `nickname` after these were recorded, in 2018.
        missing = [f"{path}.{key} is not in the real one" for key in made.keys() - real.keys() - {"nickname"}]
        return missing + [
            text for key in made.keys() & real.keys() for text in differences(made[key], real[key], f"{path}.{key}")
        ]
    if isinstance(made, list) and isinstance(real, list) and made and real:
        return differences(made[0], real[0], f"{path}.0")
    return [] if type(made) is type(real) or real is None else [f"{path} is a {type(made).__name__}"]
