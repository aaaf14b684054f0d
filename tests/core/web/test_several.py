"""Deliveries that tell of several events, through a whole server."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from tests.toolbox_support import CONFIGURATION, SECRET, forge

from duct_tape.api import Hmac, RawDelivery, ReleasePublished, Secret
from duct_tape.testing import Harness

MORE = """
prereleases = true
on = ["release", "branch"]
branches = ["main", "next"]
tags = ["v*"]
"""


@pytest.fixture
def harness(ducttape: Callable[..., Harness], monkeypatch: pytest.MonkeyPatch) -> Harness:
    monkeypatch.setenv("FORGE_SECRET", SECRET)
    return ducttape(CONFIGURATION + MORE, plugins={"forge": forge()})


def send(harness: Harness, *versions: dict[str, Any], delivery: str = "a") -> tuple[int, dict[str, Any]]:
    payload = {
        "repository": "acme/site",
        "kind": "release",
        "prerelease": False,
        "at": "2026-01-02T03:04:05Z",
        "versions": versions,
    }
    headers = {"Content-Type": "application/json", "X-Delivery": delivery}
    verifier = Hmac("X-Signature", secrets=[Secret("a test", SECRET.encode())], algorithm="sha512", encoding="base64")
    signed = verifier.sign(RawDelivery.build(headers, json.dumps(payload).encode()))
    answer = harness.client.post("/integrations/forge", content=signed.body, headers=list(signed.headers))
    return answer.status_code, answer.json()


def tags(harness: Harness) -> list[tuple[str, str]]:
    return [(run.event.delivery, run.event.release.tag) for run in harness.runs() if run.event.release]


def test_each_event_makes_its_runs(harness: Harness) -> None:
    code, members = send(harness, {"tag": "v1"}, {"tag": "next", "kind": "branch"})
    assert (code, members["status"], members["delivery"]) == (202, "accepted", "a")
    assert [run["id"] for run in members["runs"]] == [run.id for run in harness.runs()]
    assert tags(harness) == [("a", "v1"), ("a/2", "next")]
    assert {type(run.event) for run in harness.runs()} == {ReleasePublished}


def test_accepted_beside_ignored_is_accepted(harness: Harness) -> None:
    code, members = send(harness, {"tag": None}, {"tag": "w1"}, {"tag": "v1"}, {"tag": "other", "kind": "branch"})
    assert (code, members["status"], members["delivery"], len(members["runs"])) == (202, "accepted", "a", 1)
    assert tags(harness) == [("a/3", "v1")]


def test_all_ignored_is_ignored_with_every_reason_once(harness: Harness) -> None:
    code, members = send(harness, {"tag": "w1"}, {"tag": None}, {"tag": "w1"})
    assert (code, members) == (
        200,
        {
            "status": "ignored",
            "delivery": "a",
            "reason": "the tag w1 matches none of v*; `push deleted` publishes nothing that can be deployed",
        },
    )
    assert harness.runs() == []


def test_a_redelivery_is_a_duplicate(harness: Harness) -> None:
    versions = ({"tag": "v1"}, {"tag": "w1"}, {"tag": "main", "kind": "branch"})
    _, first = send(harness, *versions)
    code, again = send(harness, *versions)
    assert (code, again["status"], again["delivery"]) == (200, "duplicate", "a")
    assert again["runs"] == [{"id": run["id"]} for run in first["runs"]]
    # Another delivery of the same versions is known by their keys.
    code, other = send(harness, *reversed(versions), delivery="b")
    assert (code, other["status"], other["delivery"]) == (200, "duplicate", "b")
    assert tags(harness) == [("a", "v1"), ("a/3", "main")]


def test_the_same_version_twice_in_one_delivery_is_deployed_once(harness: Harness) -> None:
    code, members = send(harness, {"tag": "v1"}, {"tag": "v1"})
    assert (code, members["status"], len(members["runs"])) == (202, "accepted", 1)
    assert tags(harness) == [("a", "v1")]


def test_an_older_version_beside_a_newer_one_is_ignored(harness: Harness) -> None:
    code, members = send(harness, {"tag": "v2"}, {"tag": "v1", "at": "2025-01-01T00:00:00Z"})
    assert (code, members["status"]) == (202, "accepted")
    assert tags(harness) == [("a", "v2")]


@pytest.mark.parametrize("count", [0, 101])
def test_none_and_more_than_a_hundred_are_malformed(harness: Harness, count: int) -> None:
    code, members = send(harness, *[{"tag": f"v{number}"} for number in range(count)])
    assert (code, members) == (
        400,
        {"status": "malformed", "reason": f"the delivery tells of {count} events, and not of 1 to 100"},
    )
    assert harness.runs() == []


def test_a_hundred_are_received(harness: Harness) -> None:
    code, members = send(harness, *[{"tag": f"v{number}"} for number in range(100)])
    assert (code, len(members["runs"])) == (202, 100)
    assert tags(harness)[::99] == [("a", "v0"), ("a/100", "v99")]


def test_one_malformed_event_refuses_the_delivery_before_anything_is_accepted(harness: Harness) -> None:
    code, members = send(harness, {"tag": "v1"}, {"tag": "v2", "prerelease": "false"})
    assert (code, members["status"]) == (400, "malformed")
    assert harness.runs() == []


def test_what_the_journal_could_not_write_is_completed_by_a_redelivery(harness: Harness) -> None:
    versions = ({"tag": "v1"}, {"tag": "v2"}, {"tag": "v3"})
    with sqlite3.connect(harness.journal, isolation_level=None) as other:
        other.execute(
            "CREATE TRIGGER full BEFORE INSERT ON deliveries WHEN NEW.delivery = 'a/2' "
            "BEGIN SELECT RAISE(FAIL, 'disk is full'); END"
        )
        code, members = send(harness, *versions)
        assert (code, members["status"]) == (503, "unavailable")
        assert tags(harness) == [("a", "v1")]
        other.execute("DROP TRIGGER full")
    other.close()
    code, members = send(harness, *versions)
    assert (code, members["status"], len(members["runs"])) == (202, "accepted", 2)
    assert tags(harness) == [("a", "v1"), ("a/2", "v2"), ("a/3", "v3")]
    assert send(harness, *versions)[1]["status"] == "duplicate"
