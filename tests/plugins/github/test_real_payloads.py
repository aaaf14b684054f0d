"""Payloads that GitHub really sent. They are data of others and lie beside the repository, not in it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from tests.confusion_support import PAYLOADS, REAL, confused, replaced

from duct_tape.api import Ignored, MalformedError, RawDelivery, Runs, Secret, SignatureError
from duct_tape_github import receive
from duct_tape_github.sample import release_payload

if TYPE_CHECKING:
    from tests.plugins.conftest import Server, Start
    from tests.plugins.github.conftest import GitHub

pytestmark = pytest.mark.skipif(not PAYLOADS.is_dir(), reason="real payloads: there are none in ../shared/payloads")

NOT_PUBLISHED = "the release was `{}`: only a published release is deployed"
# Each release with what is decided about it: its tag where it is deployed, otherwise the reason.
RELEASES = {
    "github-ghes-3.5/octokit-webhooks/release/published.json": "0.0.1",
    "github/drone-go-scm/release_created.json": NOT_PUBLISHED.format("created"),
    "github/drone-go-scm/release_deleted.json": NOT_PUBLISHED.format("deleted"),
    "github/drone-go-scm/release_edited.json": NOT_PUBLISHED.format("edited"),
    "github/drone-go-scm/release_prereleased.json": NOT_PUBLISHED.format("prereleased"),
    "github/drone-go-scm/release_published.json": "v1.0.0",
    "github/drone-go-scm/release_released.json": "v1.0.0",
    "github/drone-go-scm/release_unpublished.json": NOT_PUBLISHED.format("unpublished"),
    "github/go-playground-webhooks/release.json": "0.0.1",
    "github/octokit-webhooks/release/created.payload.json": NOT_PUBLISHED.format("created"),
    "github/octokit-webhooks/release/created.with-discussion-url.payload.json": NOT_PUBLISHED.format("created"),
    "github/octokit-webhooks/release/created.with-installation.payload.json": NOT_PUBLISHED.format("created"),
    "github/octokit-webhooks/release/deleted.payload.json": NOT_PUBLISHED.format("deleted"),
    "github/octokit-webhooks/release/deleted.with-reactions.payload.json": NOT_PUBLISHED.format("deleted"),
    "github/octokit-webhooks/release/edited.payload.json": NOT_PUBLISHED.format("edited"),
    "github/octokit-webhooks/release/edited.with-reactions.payload.json": NOT_PUBLISHED.format("edited"),
    "github/octokit-webhooks/release/prereleased.payload.json": NOT_PUBLISHED.format("prereleased"),
    "github/octokit-webhooks/release/prereleased.with-discussion-url.payload.json": NOT_PUBLISHED.format("prereleased"),
    "github/octokit-webhooks/release/published.payload.json": "0.0.1",
    "github/octokit-webhooks/release/published.with-discussion-url.payload.json": "0.0.1",
    "github/octokit-webhooks/release/released.json": "0.0.1",
}
REPOSITORIES = (
    "Codertocat/Hello-World",
    "baxterthehacker/public-repo",
    "vcalasansh/harness-ngtriggers-test",
)
CONFIGURATION = '[plugins.github]\nsecrets = [{{ file = "{folder}/secret" }}]\ntriggers = ["deploy"]\n' + "".join(
    f'[plugins.github.repositories."{name}"]\napplication = "application"\nprereleases = true\n'
    for name in REPOSITORIES
)
# Files whose name is not that of their event.
EVENTS = {
    "branch_create": "create",
    "branch_delete": "delete",
    "tag_create": "create",
    "tag_delete": "delete",
    "deployment_commit": "deployment",
    "pipeline_hook": "workflow_run",
}


def event_name(file: Path) -> str:
    if file.parent.parent.name == "octokit-webhooks":
        return file.parent.name
    stem = file.name.split(".")[0]
    return EVENTS.get(stem, re.sub(r"^(push|release)_.*", r"\1", stem.replace("-", "_")))


def files() -> list[Path]:
    return sorted(
        file for folder in ("github", "github-ghes-3.5", "ghcr") for file in (PAYLOADS / folder).rglob("*.json")
    )


def is_release(file: Path) -> bool:
    return event_name(file) == "release"


@pytest.fixture
def deploying(start: Start) -> Server:
    return start(CONFIGURATION)


def test_each_release_has_its_decision_in_the_table() -> None:
    assert {str(file.relative_to(PAYLOADS)) for file in files() if is_release(file)} == RELEASES.keys()


@pytest.mark.parametrize(("file", "expected"), RELEASES.items())
def test_a_release_gets_its_decision(github: GitHub, file: str, expected: str) -> None:
    repositories = {name: {"application": "application", "prereleases": True} for name in REPOSITORIES}
    decision = github.decide(json.loads((PAYLOADS / file).read_bytes()), github.confs(repositories))
    if isinstance(decision, Ignored):
        assert decision.reason == expected
    else:
        assert isinstance(decision, Runs)
        assert decision.title == expected
        assert decision.version is not None


@pytest.mark.parametrize(("file", "expected"), RELEASES.items())
@pytest.mark.parametrize("form", [False, True], ids=["json", "form"])
def test_a_signed_release_gets_its_answer(deploying: Server, file: str, expected: str, form: bool) -> None:
    body = (PAYLOADS / file).read_bytes()
    if form:
        body = urlencode({"payload": body}).encode()
    kind = "application/x-www-form-urlencoded" if form else "application/json"
    answer = deploying.post(body, headers={"Content-Type": kind})
    runs = deploying.runs()
    if expected.startswith("the release was"):
        assert (answer.status_code, answer.json()["reason"], runs) == (200, expected, [])
    else:
        assert (answer.status_code, len(runs)) == (202, 1)
        assert runs[0].event.release is not None
        assert runs[0].event.release.tag == expected


def test_everything_else_is_answered_and_deploys_nothing(deploying: Server) -> None:
    wrong: dict[str, Any] = {}
    others = [file for file in files() if not is_release(file)]
    assert len(others) > 100
    for file in others:
        name = event_name(file)
        answer = deploying.post(file.read_bytes(), name)
        if (answer.status_code, answer.json()["status"]) != (200, "pong" if name == "ping" else "ignored"):
            wrong[str(file)] = answer.text
    assert wrong == {}
    assert deploying.runs() == []


def test_no_other_payload_passes_for_a_release(deploying: Server) -> None:
    wrong: dict[str, Any] = {}
    for file in files():
        if not is_release(file):
            answer = deploying.post(file.read_bytes(), "release")
            if (answer.status_code, answer.json()["status"]) != (400, "malformed"):
                wrong[str(file)] = answer.text
    assert wrong == {}
    assert deploying.runs() == []


def test_known_signatures() -> None:
    known = json.loads((PAYLOADS / "signatures.json").read_bytes())
    secrets = [Secret("test", known["secret"].encode())]
    assert len(known["vectors"]) > 100
    for vector in known["vectors"]:
        body = (PAYLOADS / vector["file"]).read_bytes()
        for header, value, good in [
            ("X-Hub-Signature-256", f"sha256={vector['hmac_sha256']}", True),
            ("X-Hub-Signature-256", f"sha1={vector['hmac_sha1']}", False),
            ("X-Hub-Signature", f"sha1={vector['hmac_sha1']}", False),
        ]:
            delivery = RawDelivery.build({header: value}, body)
            if good:
                receive.verifier(secrets).verify(delivery)
            else:
                with pytest.raises(SignatureError):
                    receive.verifier(secrets).verify(delivery)


def test_the_samples_have_the_shape_of_the_real_ones() -> None:
    """Each key of the sample that a real payload has too holds the same kind of value."""
    sample = release_payload(REPOSITORIES[0])
    real = json.loads((PAYLOADS / "github/octokit-webhooks/release/published.payload.json").read_bytes())
    assert _differences(sample, real) == []


def _differences(sample: Any, real: Any, path: str = "") -> list[str]:
    if isinstance(sample, dict) and isinstance(real, dict):
        # GitHub added `updated_at` in 2025, after these were recorded.
        shared = sample.keys() - {"updated_at"}
        missing = [f"{path}.{key} is not in the real one" for key in shared - real.keys()]
        return missing + [
            text for key in shared & real.keys() for text in _differences(sample[key], real[key], f"{path}.{key}")
        ]
    return [] if type(sample) is type(real) or real is None else [f"{path} is a {type(sample).__name__}"]


def test_the_releases_that_are_deployed_are_those_of_the_sweep() -> None:
    assert {name for name, expected in RELEASES.items() if not expected.startswith("the release")} == set(REAL)


@pytest.mark.parametrize("name", REAL)
def test_no_mistyped_value_of_a_real_release_deploys(github: GitHub, name: str) -> None:
    payload, confs = (
        json.loads((PAYLOADS / name).read_bytes()),
        github.confs({name: {"application": "application", "prereleases": True} for name in REPOSITORIES}),
    )
    for place, value, kind in confused(payload):
        try:
            found: object = github.decide(replaced(payload, place, value), confs)
        except MalformedError as error:
            found = error
        assert isinstance(found, MalformedError if kind == "mistyped" else (Runs, Ignored, MalformedError)), place
        assert kind != "unread" or isinstance(found, Runs), place
