"""Payloads that Gitea and Gogs really sent. They are data of others and lie beside the repository, not in it."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlencode

import pytest
from tests.plugins.gitea.conftest import SECRET
from tests.senders_support import PAYLOADS, needs_payloads, payloads, same

from duct_tape.api import RawDelivery, Sample, Secret
from duct_tape.testing import Harness
from duct_tape_gitea import receive
from duct_tape_gitea.receive import Flavour
from duct_tape_gitea.sample import sample

pytestmark = needs_payloads

BRANCH = "`create branch` publishes nothing that can be deployed"
OTHER = "`{}` publishes nothing that can be deployed"
# Each with its event, and what is told of it: the name of what is deployed, or the reason why nothing is.
TABLE = {
    "gitea/drone-go-scm/branch_create.json": ("create", BRANCH),
    "gitea/drone-go-scm/branch_delete.json": ("delete", OTHER.format("delete")),
    "gitea/drone-go-scm/push.json": ("push", "master"),
    "gitea/drone-go-scm/tag_create.json": ("create", "v1.0.0"),
    "gitea/drone-go-scm/tag_delete.json": ("delete", OTHER.format("delete")),
    "gitea/go-playground-webhooks/create-event.json": ("create", BRANCH),
    "gitea/go-playground-webhooks/issues-event.json": ("issues", OTHER.format("issues opened")),
    "gitea/go-playground-webhooks/push-event.json": ("push", "master"),
    "gitea/go-playground-webhooks/release-event.json": ("release", "example"),
    "gitea/go-playground-webhooks/repository-event.json": ("repository", OTHER.format("repository created")),
    "gogs/drone-go-scm/branch_create.json": ("create", BRANCH),
    "gogs/drone-go-scm/branch_delete.json": ("delete", OTHER.format("delete")),
    "gogs/drone-go-scm/push.json": ("push", "master"),
    "gogs/drone-go-scm/tag_create.json": ("create", "v1.0.0"),
    "gogs/drone-go-scm/tag_delete.json": ("delete", OTHER.format("delete")),
    "gogs/go-playground-webhooks/create-event.json": ("create", BRANCH),
    "gogs/go-playground-webhooks/issues-event.json": ("issues", OTHER.format("issues opened")),
    "gogs/go-playground-webhooks/push-event.json": ("push", "develop"),
    # Written by hand for a test, without id, draft and prerelease, which Gogs does send.
    "gogs/go-playground-webhooks/release-event.json": ("release", "malformed"),
}
CONFIGURATION = """
[triggers.deploy]
action = "touch-file"
[plugins.touch-file]
[plugins.gitea]
secrets = [{{ file = "{secret}" }}]
triggers = ["deploy"]
flavour = "{flavour}"
[plugins.gitea.repositories."*/*"]
application = "site"
on = ["release", "tag", "branch"]
branches = ["*"]
"""


def flavour(file: str) -> Flavour:
    return "gogs" if file.startswith("gogs") else "gitea"


def test_each_payload_has_its_answer_in_the_table() -> None:
    assert payloads("gitea", "gogs") == sorted(TABLE)


@pytest.mark.parametrize(("file", "expected"), TABLE.items())
@pytest.mark.parametrize("form", [False, True], ids=["json", "form"])
def test_a_signed_payload_gets_its_answer(file: str, expected: tuple[str, str], form: bool, tmp_path: Path) -> None:
    event, told = expected
    (tmp_path / "secret").write_bytes(SECRET.reveal())
    made = receive.simulated(event, (PAYLOADS / file).read_bytes(), flavour(file))
    signed = receive.verifier([SECRET], flavour(file)).sign(made)
    body = urlencode({"payload": signed.body}).encode() if form else signed.body
    kind = "application/x-www-form-urlencoded" if form else "application/json"
    headers = [pair for pair in signed.headers if pair[0] != "content-type"]
    text = CONFIGURATION.format(secret=tmp_path / "secret", flavour=flavour(file))
    with Harness(tmp_path / "server", text) as harness:
        answer = harness.post("gitea", body, {**dict(headers), "Content-Type": kind})
        harness.settle()
        titles = [run.event.release.tag for run in harness.runs() if run.event.release]
        flags = list(harness.flags())
    if told == "malformed":
        assert (answer.status_code, titles) == (400, [])
    elif told.endswith("deployed"):
        assert (answer.status_code, answer.json()["reason"], titles) == (200, told, [])
    else:
        assert (answer.status_code, titles, flags) == (202, [told], ["site"])


def test_known_signatures() -> None:
    known = json.loads((PAYLOADS / "signatures.json").read_bytes())
    found = [vector for vector in known["vectors"] if vector["file"] in TABLE]
    assert len(found) == len(TABLE)
    for vector in found:
        kind = flavour(vector["file"])
        headers = {f"X-{kind.capitalize()}-Signature": vector["hmac_sha256"], "Content-Type": "application/json"}
        delivery = RawDelivery.build(headers, (PAYLOADS / vector["file"]).read_bytes())
        receive.verifier([Secret("test", known["secret"].encode())], kind).verify(delivery)


@pytest.mark.parametrize(
    ("kind", "file"),
    [
        ("release", "gitea/go-playground-webhooks/release-event.json"),
        ("tag", "gitea/drone-go-scm/tag_create.json"),
        ("branch", "gitea/go-playground-webhooks/push-event.json"),
    ],
)
def test_the_samples_have_the_shape_of_the_real_ones(kind: str, file: str) -> None:
    real = json.loads((PAYLOADS / file).read_bytes())
    made = json.loads(sample(Sample(kind=kind)).body)
    assert differences(made, real) == []


def differences(made: object, real: object, path: str = "") -> list[str]:
    if isinstance(made, dict) and isinstance(real, dict):
        missing = [f"{path}.{key} is not in the real one" for key in made.keys() - real.keys()]
        return missing + [
            text for key in made.keys() & real.keys() for text in differences(made[key], real[key], f"{path}.{key}")
        ]
    return [] if same(type(made).__name__, type(real).__name__) else [f"{path} is a {type(made).__name__}"]
