"""A delivery as received."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest
from attrs.exceptions import FrozenInstanceError

from duct_tape.delivery import Ignored, PlannedRun, Pong, RawDelivery, Runs


@pytest.mark.parametrize("headers", [{"X-Event": "ping"}, [("X-Event", "ping")], iter([("x-eVENT", "ping")])])
def test_names_of_headers_do_not_tell_upper_from_lower_case(
    headers: Mapping[str, str] | Iterable[tuple[str, str]],
) -> None:
    delivery = RawDelivery.build(headers, b"body")
    assert delivery.headers == (("x-event", "ping"),)
    assert delivery.value("X-EVENT") == "ping"
    assert delivery.values("x-Event") == ("ping",)
    assert delivery.body == b"body"


def test_a_header_that_was_sent_twice_has_no_value() -> None:
    delivery = RawDelivery.build([("A", "1"), ("B", "2"), ("a", "1")], b"")
    assert delivery.values("a") == ("1", "1")
    assert delivery.value("a") is None
    assert delivery.value("b") == "2"
    assert delivery.value("c") is None
    assert delivery.values("c") == ()


def test_an_underscore_is_not_a_dash() -> None:
    assert RawDelivery.build({"X_Event": "ping"}, b"").value("X-Event") is None


def test_a_body_is_not_in_the_representation() -> None:
    assert "secret" not in repr(RawDelivery.build({}, b"secret"))


def test_decisions_are_values() -> None:
    runs = Runs(runs=(PlannedRun(application="a", trigger="deploy"),))
    assert runs == Runs(runs=(PlannedRun(application="a", trigger="deploy", vars={}),))
    assert (runs.key, runs.version, runs.title, runs.allow_older) == (None, None, "", False)
    assert Pong(configured=True, message="m") != Pong(configured=False, message="m")
    ignored = Ignored(reason="r")
    with pytest.raises(FrozenInstanceError):
        ignored.reason = "other"  # type: ignore[misc]
