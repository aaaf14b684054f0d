"""Payloads that registries really sent. They are data of others and lie beside the repository, not in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from duct_tape.api import Runs
from duct_tape.testing import Harness
from duct_tape_registry import ghcr as github
from duct_tape_registry.plugin import receiver
from signing import github_signature

if TYPE_CHECKING:
    from tests.plugins.registry.conftest import Registry

PAYLOADS = Path(__file__).parents[4] / "shared" / "payloads"

pytestmark = pytest.mark.skipif(not PAYLOADS.is_dir(), reason="real payloads: there are none in ../shared/payloads")

HUB = PAYLOADS / "dockerhub/go-playground-webhooks/docker_hub_build_notice.json"
# Examples of GitHub's own, in which the names of a container meet the type of npm.
GHCR = {
    "published.docker.payload.json": "package",
    "published.npm.payload.json": "package",
    "registry_package.published.docker.payload.json": "registry_package",
}
SECRET = "0123456789abcdefghijklmn"
CONFIGURATION = """
[triggers.deploy]
action = "touch-file"
[plugins.touch-file]
[plugins.registry]
kind = "{kind}"
secrets = [{{ env = "SECRET" }}]
triggers = ["deploy"]
[plugins.registry.repositories."*"]
application = "application"
"""


@pytest.fixture
def start(ducttape: Callable[..., Harness], monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Harness]:
    monkeypatch.setenv("SECRET", SECRET)
    return lambda kind: ducttape(CONFIGURATION.format(kind=kind))


def test_every_file_is_looked_at() -> None:
    assert {file.name for file in (PAYLOADS / "ghcr").rglob("*.json")} == GHCR.keys()
    assert list((PAYLOADS / "dockerhub").rglob("*.json")) == [HUB]


def test_a_push_to_docker_hub_is_deployed(start: Callable[[str], Harness]) -> None:
    server = start("docker-hub")
    body = HUB.read_bytes()
    assert server.post("registry", body).status_code == 401
    answer = server.post(f"registry/{SECRET}", body)
    assert answer.status_code == 202
    [run] = server.runs()
    assert run.event.release is not None
    assert (run.event.repository, run.event.release.tag) == ("svendowideit/testhook", "latest")
    assert run.event.release.published_at == "2014-12-03T00:22:41Z"


@pytest.mark.parametrize(("file", "event"), GHCR.items())
def test_an_example_of_github_is_answered(start: Callable[[str], Harness], file: str, event: str) -> None:
    server = start("ghcr")
    body = (PAYLOADS / "ghcr/octokit-webhooks" / file).read_bytes()
    headers = {"X-GitHub-Event": event, "X-GitHub-Delivery": "1"}
    signed = {**headers, "X-Hub-Signature-256": github_signature(SECRET.encode(), body)}
    assert server.post("registry", body, headers).status_code == 401
    answer = server.post("registry", body, signed)
    assert (answer.status_code, answer.json()["status"], server.runs()) == (200, "ignored", [])
    assert answer.json()["reason"] == f"`{event} published of npm` publishes nothing that can be deployed"


@pytest.mark.parametrize("file", [file for file in GHCR if "docker" in file])
def test_the_same_with_the_type_of_a_container_and_a_tag(ghcr: Registry, file: str) -> None:
    payload = json.loads((PAYLOADS / "ghcr/octokit-webhooks" / file).read_bytes())
    found: dict[str, Any] = payload[GHCR[file]]
    found["package_type"] = "CONTAINER"

    def decided() -> Any:
        delivery = github.simulated(GHCR[file], json.dumps(payload).encode())
        return receiver(ghcr.conf("*")).understood(delivery)[0][1]

    assert decided().reason.startswith(f"`{GHCR[file]} published without a tag`")
    found["package_version"]["container_metadata"]["tag"]["name"] = "v1"
    decision = decided()
    assert isinstance(decision, Runs)
    assert (decision.title, decision.version) == ("v1", None)
    assert (
        decision.key
        == "package:codertocat/hello-world/hello-world-npm:sha256:6c62fb45fe66bfb1ea9a66abc38f6a0cc974292b:v1"
    )


@pytest.mark.parametrize("kind", ["hub", "ghcr"])
def test_the_samples_have_the_shape_of_the_real_ones(request: pytest.FixtureRequest, kind: str) -> None:
    registry: Registry = request.getfixturevalue(kind)
    file = HUB if kind == "hub" else PAYLOADS / "ghcr/octokit-webhooks/registry_package.published.docker.payload.json"
    assert differences(registry.payload(), json.loads(file.read_bytes())) == []


def differences(sample: Any, real: Any, path: str = "") -> list[str]:
    if isinstance(sample, dict) and isinstance(real, dict):
        missing = [f"{path}.{key} is not in the real one" for key in sample.keys() - real.keys()]
        return missing + [
            text for key in sample.keys() & real.keys() for text in differences(sample[key], real[key], f"{path}.{key}")
        ]
    same = type(sample) is type(real) or None in (sample, real) or {type(sample), type(real)} == {int, float}
    return [] if same else [f"{path} is a {type(sample).__name__}"]
