"""What Docker Hub's deliveries say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from duct_tape.api import Ignored, MalformedError, Release, ReleasePublished, Runs

if TYPE_CHECKING:
    from tests.plugins.registry.conftest import Registry


def pushed(hub: Registry, **changes: Any) -> dict[str, Any]:
    payload = hub.payload()
    payload["push_data"] |= changes
    return payload


def released(hub: Registry, payload: dict[str, Any]) -> Release:
    event = hub.event(payload)
    assert isinstance(event, ReleasePublished)
    return event.release


def key(hub: Registry, payload: dict[str, Any]) -> str | None:
    decision = hub.decide(payload)
    assert isinstance(decision, Runs)
    return decision.key


def test_a_push_is_read(hub: Registry) -> None:
    release = released(hub, hub.payload())
    assert (release.kind, release.tag, release.commit, release.author) == ("package", "v1.0.0", None, "octocat")
    assert release.published_at == "2026-01-02T03:04:05Z"
    assert release.url == "https://hub.docker.com/r/acme/shop"
    assert hub.event(hub.payload()).repository == "acme/shop"


@pytest.mark.parametrize("moment", [1417566161, 1.417566161e09, 1417566161.25])
def test_times_are_whole_numbers_and_others(hub: Registry, moment: float) -> None:
    assert released(hub, pushed(hub, pushed_at=moment)).published_at == "2014-12-03T00:22:41Z"


def test_a_time_is_the_same_however_it_is_written(hub: Registry) -> None:
    assert key(hub, pushed(hub, pushed_at=1417566161)) == key(hub, pushed(hub, pushed_at=1.417566161e09))


@pytest.mark.parametrize("moment", [None, True, "1417566161", -1, 10**30, 1e300, 253_402_300_800, [], {}])
def test_what_is_no_time_is_malformed(hub: Registry, moment: Any) -> None:
    with pytest.raises(MalformedError, match=r"`push_data\.pushed_at` is not a time"):
        hub.event(pushed(hub, pushed_at=moment))


def test_a_tag_that_is_pushed_again_is_deployed_again(hub: Registry) -> None:
    first = pushed(hub, tag="latest", pushed_at=1417566161)
    assert key(hub, first) != key(hub, pushed(hub, tag="latest", pushed_at=1417566162))
    assert key(hub, first) != key(hub, pushed(hub, tag="v1", pushed_at=1417566161))
    assert key(hub, first) == key(hub, {**first, "callback_url": "https://elsewhere.example.com/"})


@pytest.mark.parametrize("tag", [None, ""])
def test_a_push_without_a_tag_deploys_nothing(hub: Registry, tag: str | None) -> None:
    decision = hub.decide(pushed(hub, tag=tag))
    assert decision == Ignored(reason="`push without a tag` publishes nothing that can be deployed")


def test_the_id_is_that_of_the_body(hub: Registry) -> None:
    assert hub.event(hub.payload()).delivery == hub.event(hub.payload()).delivery
    assert hub.event(hub.payload()).delivery != hub.event(pushed(hub, tag="v2")).delivery


def test_tags_choose(hub: Registry) -> None:
    conf = hub.conf(tags=("v*",))
    assert isinstance(hub.decide(hub.payload(), conf), Runs)
    assert hub.decide(hub.payload(tag="latest"), conf) == Ignored(reason="the tag latest matches none of v*")
