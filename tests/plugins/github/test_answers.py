"""What GitHub answers is read as strictly as what it sends."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duct_tape.api import MalformedError
from duct_tape_github import answers

HOOK: dict[str, Any] = {
    "id": 7,
    "active": True,
    "events": ["release"],
    "config": {"url": "https://hooks.example.com/integrations/github", "content_type": "json", "insecure_ssl": "0"},
    "last_response": {"code": None, "status": "unused", "message": None},
}
DELIVERY: dict[str, Any] = {
    "id": 9,
    "guid": "0b989ba4-242f-11e5-81e1-c7b6966d2516",
    "delivered_at": "2026-06-03T00:57:16.123Z",
    "status_code": 200,
    "event": "release",
    "action": "published",
}


def test_a_hook_is_read() -> None:
    [hook] = answers.hooks([HOOK])
    assert (hook.id, hook.active, hook.events, hook.insecure, hook.secret) == (7, True, ("release",), False, False)
    assert (hook.status, hook.message) == (None, "")


@pytest.mark.parametrize(
    ("response", "status"),
    [
        ({"code": 202, "message": "OK"}, 202),
        ({"code": 0, "message": "timed out"}, 0),
        ({"code": None, "message": "failed to connect to host"}, 0),
        ({"code": None, "message": None}, None),
        ({"code": True, "message": 1}, None),
        (None, None),
        ([], None),
    ],
)
def test_a_delivery_that_nobody_answered_is_told_from_none(response: Any, status: int | None) -> None:
    assert answers.hooks([{**HOOK, "last_response": response}])[0].status == status


@pytest.mark.parametrize(("value", "insecure"), [("0", False), (0, False), ("1", True), (1, True), (None, True)])
def test_whether_certificates_are_verified_may_be_text_or_number(value: Any, insecure: bool) -> None:
    [hook] = answers.hooks([{**HOOK, "config": {**HOOK["config"], "insecure_ssl": value}}])
    assert hook.insecure is insecure


@pytest.mark.parametrize("wrong", [{"id": "7"}, {"id": True}, {"active": 1}, {"config": []}, {"config": {}}])
def test_what_is_no_hook_is_left_out(wrong: dict[str, Any]) -> None:
    assert answers.hooks([{**HOOK, **wrong}, HOOK]) == answers.hooks([HOOK])


def test_a_delivery_is_read() -> None:
    [delivery] = answers.delivered([DELIVERY])
    assert (delivery.id, delivery.at, delivery.ok) == (9, "2026-06-03T00:57:16Z", True)


@pytest.mark.parametrize("status", [0, 301, 404, 502])
def test_what_was_not_answered_well_failed(status: int) -> None:
    assert not answers.delivered([{**DELIVERY, "status_code": status}])[0].ok


@pytest.mark.parametrize("wrong", [{"guid": None}, {"status_code": "200"}, {"delivered_at": "noon"}, {"event": 1}])
def test_what_is_no_delivery_is_left_out(wrong: dict[str, Any]) -> None:
    assert answers.delivered([{**DELIVERY, **wrong}]) == ()


@pytest.mark.parametrize(
    ("payload", "run"),
    [({"run": "r1"}, "r1"), ('{"run": "r1"}', "r1"), ("", ""), ("[]", ""), (None, ""), ({"run": 1}, ""), ("{", "")],
)
def test_a_deployment_names_its_run(payload: Any, run: str) -> None:
    assert answers.deployment({"id": 3, "payload": payload}) == answers.Deployment(id=3, run=run)


def test_the_newest_status_is_the_first() -> None:
    assert answers.latest_state([{"state": "success"}, {"state": "queued"}]) == "success"
    assert answers.latest_state([]) == answers.latest_state([{"state": 1}]) == ""


@pytest.mark.parametrize("body", [b"", b"[", b"1}, {", b'1, "value": 2', b'1, "other": 2', b"[NaN]", b"\xff"])
def test_what_is_not_one_json_value_is_none(body: bytes) -> None:
    with pytest.raises(MalformedError):
        answers.parse_value(body)


@given(st.recursive(st.none() | st.booleans() | st.integers(-(2**60), 2**60), lambda inner: st.lists(inner)))
def test_any_json_value_is_read(value: Any) -> None:
    assert answers.parse_value(json.dumps(value).encode()) == value


BASE = "https://api.github.com/repositories/1/hooks"


@pytest.mark.parametrize(
    ("link", "address"),
    [
        (f'<{BASE}?cursor=v1_2>; rel="next"', f"{BASE}?cursor=v1_2"),
        (f'<{BASE}?page=1>; rel="prev", <{BASE}?page=3>; rel="next", <{BASE}?page=9>; rel="last"', f"{BASE}?page=3"),
        ("</repositories/1/hooks?page=2>; rel=next", f"{BASE}?page=2"),
        (f'<{BASE}?page=1>; rel="prev"', ""),
        ('<https://evil.example/hooks>; rel="next"', ""),
        ('<http://api.github.com/hooks>; rel="next"', ""),
        ('<https://api.github.com:8443/hooks>; rel="next"', ""),
        ('<https://[>; rel="next"', ""),
        ("", ""),
    ],
)
def test_the_next_page_is_on_the_same_server(link: str, address: str) -> None:
    assert answers.next_page(link, f"{BASE}?page=2") == address


def test_a_link_header_of_many_beginnings_takes_no_time() -> None:
    began = time.process_time()
    for link in ("<a>;" * 2500, "<a> " * 2500, "<" * 10_000, "<a>;rel=" * 1250):
        assert answers.next_page(link, BASE) == ""
    assert time.process_time() - began < 0.2


json_values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def near(sample: dict[str, Any]) -> Any:
    """Something like the sample, with some values of another kind."""
    return st.fixed_dictionaries({}, optional={key: st.just(value) | json_values for key, value in sample.items()})


@given(st.lists(near(HOOK) | near(DELIVERY) | st.dictionaries(st.text(), json_values, max_size=2), max_size=4))
def test_lists_of_anything_are_read(items: list[dict[str, Any]]) -> None:
    for read in (answers.hooks, answers.delivered, answers.deployments):
        found: tuple[object, ...] = read(items)
        assert len(found) <= len(items)
    assert isinstance(answers.latest_state(items), str)


@given(json_values | near({"request": {"payload": {"action": "published"}}}))
def test_any_answer_holds_a_payload_or_none(value: Any) -> None:
    with suppress(MalformedError):
        assert isinstance(answers.delivery_payload(value), dict)


@given(json_values)
def test_a_list_holds_objects_only(value: Any) -> None:
    try:
        assert all(isinstance(item, dict) for item in answers.objects(value))
    except MalformedError:
        assert not isinstance(value, list)


@given(st.text(), st.text())
def test_any_link_is_a_page_or_none(link: str, address: str) -> None:
    assert isinstance(answers.next_page(f'<{link}>; rel="next"', f"https://api.github.com/{address}"), str)
