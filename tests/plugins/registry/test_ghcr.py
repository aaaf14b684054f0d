"""What the deliveries of GitHub's container registry say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from duct_tape.api import Ignored, MalformedError, Pong, RawDelivery, Release, ReleasePublished, Runs, SignatureError
from duct_tape_registry import ghcr as plugin
from duct_tape_registry.plugin import receiver
from signing import github_signature

if TYPE_CHECKING:
    from tests.plugins.registry.conftest import Registry


def packaged(ghcr: Registry, **changes: Any) -> dict[str, Any]:
    payload = ghcr.payload()
    payload["registry_package"] |= changes
    return payload


def versioned(ghcr: Registry, **changes: Any) -> dict[str, Any]:
    payload = ghcr.payload()
    payload["registry_package"]["package_version"] |= changes
    return payload


def tagged(ghcr: Registry, **changes: Any) -> dict[str, Any]:
    payload = ghcr.payload()
    payload["registry_package"]["package_version"]["container_metadata"]["tag"] |= changes
    return payload


def released(ghcr: Registry, payload: dict[str, Any]) -> Release:
    event = ghcr.event(payload)
    assert isinstance(event, ReleasePublished)
    return event.release


def nothing(ghcr: Registry, payload: dict[str, Any]) -> str:
    decision = ghcr.decide(payload)
    assert isinstance(decision, Ignored)
    return decision.reason.removesuffix(" publishes nothing that can be deployed")


def test_it_is_signed_as_github_signs(ghcr: Registry) -> None:
    verifier = receiver(ghcr.conf()).verifier
    good = github_signature(ghcr.secret.reveal(), b"{}")
    verifier.verify(RawDelivery.build({"X-Hub-Signature-256": good}, b"{}"))
    for headers, path in (
        ({"X-Hub-Signature": good}, ""),
        ({"X-Hub-Signature-256": f"sha256={'0' * 64}"}, ""),
        ({}, f"/{ghcr.secret.reveal().decode()}"),
    ):
        with pytest.raises(SignatureError):
            verifier.verify(RawDelivery.build(headers, b"{}", path))


def test_a_package_is_read(ghcr: Registry) -> None:
    release = released(ghcr, ghcr.payload())
    assert (release.kind, release.tag, release.author) == ("package", "v1.0.0", "acme")
    assert (release.commit or "").startswith("sha256:")
    assert release.id == release.commit
    assert release.published_at == "2026-01-02T03:04:05Z"


def test_both_events_of_one_push_are_the_same_version(ghcr: Registry) -> None:
    one = ghcr.payload()
    other = {"action": "published", "package": one["registry_package"]}
    delivery = plugin.simulated("package", ghcr.with_body(other).body)
    first, second = ghcr.decide(one), receiver(ghcr.conf()).understood(delivery)[0][1]
    assert isinstance(first, Runs)
    assert first == second


def test_the_image_is_named_as_it_is_pulled(ghcr: Registry) -> None:
    assert ghcr.event(packaged(ghcr, namespace="Acme", name="Shop/Web")).repository == "acme/shop/web"
    payload = packaged(ghcr, namespace=None)
    del payload["repository"]
    assert ghcr.event(payload).repository == "acme/shop"
    assert isinstance(ghcr.decide(payload), Runs)


@pytest.mark.parametrize("kind", ["CONTAINER", "container", "Container"])
def test_capitals_of_the_type_do_not_count(ghcr: Registry, kind: str) -> None:
    assert released(ghcr, packaged(ghcr, package_type=kind)).tag == "v1.0.0"


@pytest.mark.parametrize("kind", ["npm", "maven", "docker", "containers"])
def test_only_containers_are_images(ghcr: Registry, kind: str) -> None:
    assert nothing(ghcr, packaged(ghcr, package_type=kind)) == f"`registry_package published of {kind}`"


def test_the_parts_of_a_multi_arch_image_have_no_tag(ghcr: Registry) -> None:
    assert nothing(ghcr, tagged(ghcr, name="")) == "`registry_package published without a tag`"
    assert nothing(ghcr, versioned(ghcr, container_metadata=None)) == "`registry_package published without a tag`"
    assert nothing(ghcr, packaged(ghcr, package_version=None)) == "`registry_package published without a tag`"


@pytest.mark.parametrize(("action", "deployed"), [("published", True), ("updated", True), ("deleted", False)])
def test_what_is_published_or_updated_is_deployed(ghcr: Registry, action: str, deployed: bool) -> None:
    assert isinstance(ghcr.decide(ghcr.payload(action=action)), Runs) is deployed


def test_another_digest_of_the_tag_is_another_version_and_the_same_is_not(ghcr: Registry) -> None:
    decisions = [ghcr.decide(payload) for payload in (ghcr.payload(), tagged(ghcr, digest="sha256:" + "f" * 64))]
    keys = {decision.key for decision in decisions if isinstance(decision, Runs)}
    assert len(keys) == 2
    assert ghcr.decide(ghcr.payload()) == ghcr.decide(ghcr.payload(action="updated"))


def test_no_time_at_all_is_none(ghcr: Registry) -> None:
    never = "0001-01-01T00:00:00Z"
    assert released(ghcr, versioned(ghcr, updated_at=never)).published_at == "2026-01-02T03:04:05Z"
    assert released(ghcr, versioned(ghcr, updated_at=never, created_at=never)).published_at is None


def test_a_ping_is_answered(ghcr: Registry) -> None:
    [(_, decision)] = receiver(ghcr.conf()).understood(plugin.simulated("ping", b'{"zen": "x"}'))
    assert decision == Pong(configured=True, message="the signature is good")


@pytest.mark.parametrize("name", ["release", "push", "packages"])
def test_other_events_deploy_nothing(ghcr: Registry, name: str) -> None:
    [(_, decision)] = receiver(ghcr.conf()).understood(plugin.simulated(name, ghcr.delivery().body))
    assert decision == Ignored(reason=f"`{name}` publishes nothing that can be deployed")


def test_the_event_and_the_body_have_to_agree(ghcr: Registry) -> None:
    with pytest.raises(MalformedError):
        plugin.parse(plugin.simulated("package", ghcr.delivery().body))


@pytest.mark.parametrize("name", ["X-GitHub-Event", "X-GitHub-Delivery"])
def test_githubs_headers_are_there_once(ghcr: Registry, name: str) -> None:
    with pytest.raises(MalformedError, match=name):
        plugin.parse(ghcr.delivery().with_header(name, "package"))
