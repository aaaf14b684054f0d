"""Events: what templates see of them, and the way through the journal."""

from __future__ import annotations

import json

import pytest

from duct_tape.events import Event, Release, ReleasePublished, event_from_json, event_to_json

RELEASE = Release(id="1", tag="v1", prerelease=True, url="https://example.com", published_at="2026-01-02T03:04:05Z")
EVENT = Event(
    name="release",
    delivery="d1",
    action="published",
    repository="acme/site",
    release=RELEASE,
    payload={"a": [{"b": None}], "release": {"id": 1}},
)
PUBLISHED = ReleasePublished(name="release", delivery="d3", release=RELEASE, key="k", version="2026-01-02T03:04:05Z")


@pytest.mark.parametrize(
    "event",
    [
        EVENT,
        Event(name="ping", delivery="d2"),
        PUBLISHED,
        ReleasePublished(name="push", delivery="d4", release=RELEASE, payload={"version": 1, "key": None}),
    ],
)
def test_an_event_comes_back_from_the_journal(event: Event) -> None:
    found = event_from_json(json.loads(json.dumps(event_to_json(event))))
    # Of its class, too: what it is decides what is deployed.
    assert (type(found), found) == (type(event), event)


def test_a_version_is_another_event_than_its_release_alone() -> None:
    alone = Event(name="release", delivery="d3", release=RELEASE)
    assert alone != ReleasePublished(name="release", delivery="d3", release=RELEASE)
    assert PUBLISHED.variables() == alone.variables()


def test_what_templates_see() -> None:
    assert EVENT.variables() == {
        "release": {
            "id": "1",
            "tag": "v1",
            "name": None,
            "prerelease": True,
            "draft": False,
            "url": "https://example.com",
            "commit": None,
            "published_at": "2026-01-02T03:04:05Z",
            "author": None,
            "kind": "release",
        },
        "repository": "acme/site",
        "delivery": "d1",
        "event": "release",
        "action": "published",
        "payload": EVENT.payload,
    }
    assert Event(name="ping", delivery="d2").variables()["release"] is None


def test_a_payload_is_not_in_the_representation() -> None:
    assert "payload" not in repr(EVENT)
