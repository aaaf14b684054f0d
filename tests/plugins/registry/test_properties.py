"""Whatever is in a delivery: a decision or a typed error, and never a deploy of what was mistyped."""

from __future__ import annotations

import json
from types import NoneType
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.senders_support import mistyped, paths, unread

from duct_tape.api import Decision, Event, MalformedError, RawDelivery, Runs, Secret, SignatureError
from duct_tape_registry import docker_hub
from duct_tape_registry import ghcr as github
from duct_tape_registry.conf import RegistryConf
from duct_tape_registry.plugin import receiver

if TYPE_CHECKING:
    from tests.plugins.registry.conftest import Registry

HUB: dict[str, tuple[type, ...]] = {
    "push_data": (dict,),
    "push_data.tag": (str,),
    "push_data.pushed_at": (int, float),
    "push_data.pusher": (str, NoneType),
    "repository": (dict,),
    "repository.repo_name": (str,),
    "repository.repo_url": (str, NoneType),
}
VERSION = "registry_package.package_version"
GHCR: dict[str, tuple[type, ...]] = {
    "action": (str,),
    "registry_package": (dict,),
    "registry_package.name": (str,),
    # Without it the owner's name is taken.
    "registry_package.namespace": (str, NoneType),
    "registry_package.package_type": (str,),
    VERSION: (dict,),
    f"{VERSION}.container_metadata": (dict,),
    f"{VERSION}.container_metadata.tag": (dict,),
    f"{VERSION}.container_metadata.tag.name": (str,),
    f"{VERSION}.container_metadata.tag.digest": (str,),
    f"{VERSION}.html_url": (str, NoneType),
    f"{VERSION}.created_at": (str, NoneType),
    f"{VERSION}.updated_at": (NoneType,),
    "sender": (dict, NoneType),
    "sender.login": (str, NoneType),
}


def decided(registry: Registry, payload: dict[str, Any]) -> Decision | None:
    try:
        return registry.decide(payload)
    except MalformedError:
        return None


@pytest.mark.parametrize(("kind", "read"), [("hub", HUB), ("ghcr", GHCR)])
def test_a_mistyped_field_never_deploys(
    request: pytest.FixtureRequest, kind: str, read: dict[str, tuple[type, ...]]
) -> None:
    registry: Registry = request.getfixturevalue(kind)
    payload = registry.payload()
    assert set(read) <= set(paths(payload))
    tried = 0
    # Of a missing time the other one is taken, and that is none of a version's.
    for where, wrong in mistyped(payload, {path: types for path, types in read.items() if path[-10:] != "created_at"}):
        assert not isinstance(decided(registry, wrong), Runs), where
        tried += 1
    assert tried > 40


@pytest.mark.parametrize(("kind", "read"), [("hub", HUB), ("ghcr", GHCR)])
def test_what_is_not_read_may_be_anything(
    request: pytest.FixtureRequest, kind: str, read: dict[str, tuple[type, ...]]
) -> None:
    registry: Registry = request.getfixturevalue(kind)
    payload = registry.payload()
    usual = decided(registry, payload)
    assert isinstance(usual, Runs)
    for where, other in unread(payload, read):
        assert decided(registry, other) == usual, where


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
KEYS = sorted({part for path in (*HUB, *GHCR) for part in path.split(".")} | {"package"})
nested = st.recursive(values, lambda inner: st.dictionaries(st.sampled_from(KEYS), inner), max_leaves=20)
bodies = st.binary() | nested.map(lambda value: json.dumps(value).encode())


@given(bodies, st.sampled_from(["package", "registry_package", "ping"]))
def test_any_body_is_an_event_or_a_typed_error(body: bytes, event: str) -> None:
    for parse, delivery in (
        (github.parse, github.simulated(event, body)),
        (docker_hub.parse, RawDelivery.build({"Content-Type": "application/json"}, body)),
    ):
        try:
            found = parse(delivery)
        except MalformedError:
            continue
        assert isinstance(found, Event)


@given(st.text(), st.lists(st.tuples(st.sampled_from(["X-Hub-Signature-256", "X-GitHub-Event"]), st.text())), bodies)
def test_strangers_are_refused_whatever_they_send(path: str, pairs: list[tuple[str, str]], body: bytes) -> None:
    for kind in ("docker-hub", "ghcr"):
        more: Any = {"kind": kind, "secrets": (Secret("test", b"what nobody guesses of us"),)}
        with pytest.raises(SignatureError):
            receiver(RegistryConf(**more)).verifier.verify(RawDelivery.build(pairs, body, path))
