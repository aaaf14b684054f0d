"""Signatures of Bitbucket, and what its deliveries say."""

from __future__ import annotations

from typing import Any

import pytest
from tests.plugins.bitbucket.conftest import NOWHERE, SECRET, A, B, Bitbucket, branch, cloud, data_center, ref, tag

from duct_tape.api import Event, MalformedError, RawDelivery, ReleasePublished, Secret, SignatureError
from duct_tape.web.receive import MAX_EVENTS
from duct_tape_bitbucket import receive

# Atlassian's own example.
KNOWN = Secret("test", b"It's a Secret to Everybody")
GREETING = b"Hello World!"
DIGEST = "a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"


def parsed(bitbucket: Bitbucket, payload: dict[str, Any], event: str = receive.PUSH) -> list[Event]:
    return list(receive.parse(bitbucket.delivery(payload, event)))


def published(event: Event) -> ReleasePublished:
    assert isinstance(event, ReleasePublished)
    return event


def test_atlassians_example_is_signed_right() -> None:
    receive.verifier([KNOWN]).verify(RawDelivery.build({"X-Hub-Signature": f"sha256={DIGEST}"}, GREETING))


@pytest.mark.parametrize("made", ["", "sha256=", f"sha1={DIGEST[:40]}", DIGEST, f"sha256={DIGEST.upper()}"])
def test_any_other_signature_is_refused(made: str) -> None:
    for delivery in (RawDelivery.build({"X-Hub-Signature": made}, GREETING), RawDelivery.build({}, GREETING)):
        with pytest.raises(SignatureError):
            receive.verifier([KNOWN, SECRET]).verify(delivery)


def test_each_change_is_an_event_with_a_payload_of_its_own(bitbucket: Bitbucket) -> None:
    changes = [tag("v1.0.0"), branch("main", A, B), {"new": None, "old": {"type": "tag", "name": "v0"}}]
    first, second, third = parsed(bitbucket, cloud(*changes))
    assert [event.payload["push"]["changes"] for event in (first, second, third)] == [[change] for change in changes]
    assert (published(first).release.kind, published(first).release.tag) == ("tag", "v1.0.0")
    assert (published(second).release.kind, published(second).release.tag) == ("branch", "main")
    assert not isinstance(third, ReleasePublished)
    assert {event.repository for event in (first, second, third)} == {"acme/site"}


def test_a_tag_of_cloud(bitbucket: Bitbucket) -> None:
    links = {"html": {"href": "https://bitbucket.org/acme/site/commits/tag/v1.0.0"}}
    [event] = parsed(bitbucket, cloud(tag("v1.0.0", date="2026-01-02T04:04:05+01:00", links=links)))
    release = published(event).release
    assert (release.id, release.commit, release.author) == (A, A, "ada")
    assert (release.url, release.published_at) == (links["html"]["href"], "2026-01-02T03:04:05Z")
    assert published(event).key is None


def test_a_tag_without_a_message_has_no_date(bitbucket: Bitbucket) -> None:
    [event] = parsed(bitbucket, cloud(tag("v1.0.0", date=None)))
    assert published(event).release.published_at is None


def test_an_older_payload_has_another_name_for_the_author(bitbucket: Bitbucket) -> None:
    [event] = parsed(bitbucket, cloud(tag("v1.0.0")) | {"actor": {"display_name": "Ada L."}})
    assert published(event).release.author == "Ada L."


@pytest.mark.parametrize("kind", ["ADD", "UPDATE"])
def test_a_tag_of_data_center(bitbucket: Bitbucket, kind: str) -> None:
    [event] = parsed(bitbucket, data_center(ref("refs/tags/v1.0.0", kind)), receive.REFS_CHANGED)
    release = published(event).release
    assert (event.repository, release.kind, release.tag, release.id) == ("acme/site", "tag", "v1.0.0", A)
    assert (release.published_at, release.author) == ("2018-07-05T18:22:00Z", "ada")


def test_a_branch_of_data_center(bitbucket: Bitbucket) -> None:
    changes = [ref("refs/heads/feature/x", before=B), ref("refs/heads/main", "DELETE", A, NOWHERE)]
    first, second = parsed(bitbucket, data_center(*changes), receive.REFS_CHANGED)
    assert (published(first).release.kind, published(first).release.tag) == ("branch", "feature/x")
    assert published(first).key == f"branch:acme/site:feature/x:{B}:{A}:2018-07-05T18:22:00Z"
    assert [first.payload["changes"], second.payload["changes"]] == [changes[:1], changes[1:]]
    assert (type(second), second.action) == (Event, "delete")


@pytest.mark.parametrize(
    ("payload", "event"),
    [
        (cloud({"new": {"type": "bookmark", "name": "x"}}), receive.PUSH),
        (data_center(ref("refs/notes/x")), receive.REFS_CHANGED),
        (data_center(ref("refs/tags/x", "MOVE")), receive.REFS_CHANGED),
        ({"test": True}, receive.PING),
        ({"repository": {}}, "pullrequest:fulfilled"),
    ],
)
def test_what_publishes_nothing(bitbucket: Bitbucket, payload: dict[str, Any], event: str) -> None:
    [found] = parsed(bitbucket, payload, event)
    assert (type(found), found.name) == (Event, event)


@pytest.mark.parametrize("count", [0, receive.MAX_CHANGES + 1])
def test_no_change_or_too_many_are_one_event_of_nothing(bitbucket: Bitbucket, count: int) -> None:
    for payload, event in (
        (cloud(*[tag("v1")] * count), receive.PUSH),
        (data_center(*[ref("refs/tags/v1")] * count), receive.REFS_CHANGED),
    ):
        [found] = parsed(bitbucket, payload, event)
        assert (type(found), found.action) == (Event, f"of {count} changes")


def test_no_more_events_are_made_than_the_core_takes(bitbucket: Bitbucket) -> None:
    found = parsed(bitbucket, cloud(*[tag("v1")] * receive.MAX_CHANGES))
    assert len(found) == receive.MAX_CHANGES == MAX_EVENTS


@pytest.mark.parametrize(
    ("headers", "number"),
    [
        ({"X-Request-UUID": "u", "X-Request-Id": "r"}, "u"),
        ({"X-Request-Id": "*1AB2C3x600x0x0"}, "*1AB2C3x600x0x0"),
        ({}, "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"),
    ],
)
def test_the_delivery_has_the_id_that_its_sender_gives(headers: dict[str, str], number: str) -> None:
    made = {"Content-Type": "application/json", "X-Event-Key": receive.PING, **headers}
    [event] = receive.parse(RawDelivery.build(made, b"{}"))
    assert event.delivery == number


def test_the_event_needs_a_name() -> None:
    with pytest.raises(MalformedError, match="X-Event-Key"):
        receive.parse(RawDelivery.build({"Content-Type": "application/json"}, b"{}"))


@pytest.mark.parametrize("changes", ["x", None, {}, [1], [None], [[]]])
def test_changes_are_a_list_of_objects(bitbucket: Bitbucket, changes: object) -> None:
    for payload, event in (
        (cloud() | {"push": {"changes": changes}}, receive.PUSH),
        (data_center() | {"changes": changes}, receive.REFS_CHANGED),
    ):
        with pytest.raises(MalformedError, match="changes"):
            parsed(bitbucket, payload, event)
