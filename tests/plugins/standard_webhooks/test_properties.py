"""Whatever arrives: a decision, or an error with a name."""

from __future__ import annotations

import json
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st
from tests.plugins.standard_webhooks.conftest import PAYLOAD, sender
from tests.senders_support import decided

from duct_tape.api import MalformedError, RawDelivery, Runs, SignatureError, UnsupportedMediaError
from duct_tape_standard_webhooks.receive import simulated

SENDER = sender()
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
names = st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]) | st.text()


@given(st.lists(st.tuples(names, st.text()), max_size=5), st.binary())
def test_any_bytes_are_refused(headers: list[tuple[str, str]], body: bytes) -> None:
    try:
        SENDER.verifier.verify(RawDelivery.build(headers, body))
    except SignatureError:
        return
    raise AssertionError("no signature, and accepted")


@given(st.binary(), st.sampled_from(["application/json", "text/plain"]), st.text())
def test_any_body_has_an_answer(body: bytes, kind: str, number: str) -> None:
    with suppress(MalformedError, UnsupportedMediaError):
        SENDER.understood(RawDelivery.build({"Content-Type": kind, "webhook-id": number}, body))


@given(st.dictionaries(st.sampled_from(sorted(PAYLOAD)), json_values))
def test_only_what_the_filter_lets_through_is_deployed(payload: dict[str, object]) -> None:
    changed = PAYLOAD | payload
    try:
        decisions = decided(SENDER, simulated(json.dumps(changed).encode(), "webhook-"))
    except MalformedError:
        return
    if any(isinstance(decision, Runs) for decision in decisions):
        assert changed["type"] == "release.published"
        assert changed["data"]["latest"] is True
