"""The samples have the shape that GitHub documents, and stand for the same release each time."""

from __future__ import annotations

import json

from duct_tape_github.sample import ping_payload, release_payload


def test_the_same_release_has_the_same_id() -> None:
    assert release_payload("a/b", tag="v1") == release_payload("a/b", tag="v1")
    ids = {
        release_payload(name, tag=tag)["release"]["id"] for name, tag in [("a/b", "v1"), ("a/b", "v2"), ("a/c", "v1")]
    }
    assert len(ids) == 3


def test_a_draft_has_no_time_of_publication() -> None:
    assert release_payload("a/b", draft=True)["release"]["published_at"] is None


def test_a_promotion_is_later_than_its_publication() -> None:
    release = release_payload("a/b", updated_at="2026-02-01T00:00:00Z")["release"]
    assert release["published_at"] < release["updated_at"]


def test_half_characters_of_a_command_line_do_no_harm() -> None:
    assert json.dumps(release_payload("a/b", tag="v\udcff"))


def test_a_ping_names_its_events() -> None:
    assert ping_payload("a/b", ("push",))["hook"]["events"] == ["push"]
