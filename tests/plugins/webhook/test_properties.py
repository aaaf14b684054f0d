"""Whatever arrives: a decision, or an error with a name."""

from __future__ import annotations

import json
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st
from tests.plugins.webhook.conftest import PAYLOAD, TOKEN, release, webhook
from tests.senders_support import decided

from duct_tape.api import MalformedError, RawDelivery, Runs, SignatureError, Template, UnsupportedMediaError
from duct_tape_webhook.plugin import simulated

SIGNED = webhook(form="data", delivery=Template("{{ payload.version }}"))
SHOWN = webhook(token=TOKEN, delivery_header="X-Id", rules={"one": release(), "two": release(id=Template("{{ 1 }}"))})
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
texts = st.text(max_size=20) | st.sampled_from(["X-Signature", "Authorization", "Bearer ", "sha256=" + "0" * 64])


@given(st.lists(st.tuples(texts, texts), max_size=5), st.binary())
def test_any_bytes_are_refused(headers: list[tuple[str, str]], body: bytes) -> None:
    for verifier in (SIGNED.verifier, SHOWN.verifier):
        try:
            verifier.verify(RawDelivery.build(headers, body))
        except SignatureError:
            continue
        raise AssertionError("no secret, and accepted")


@given(st.binary(), st.sampled_from(["application/json", "application/x-www-form-urlencoded", "text/plain"]))
def test_any_body_has_an_answer(body: bytes, kind: str) -> None:
    for receiver in (SIGNED, SHOWN):
        with suppress(MalformedError, UnsupportedMediaError):
            receiver.understood(RawDelivery.build({"Content-Type": kind}, body))


@given(st.dictionaries(st.sampled_from(sorted(PAYLOAD)), json_values))
def test_only_what_the_filter_lets_through_is_deployed(payload: dict[str, object]) -> None:
    for changed in (payload, PAYLOAD | payload):
        for receiver in (SIGNED, SHOWN):
            try:
                decisions = decided(receiver, simulated(json.dumps(changed).encode()))
            except MalformedError:
                continue
            if any(isinstance(decision, Runs) for decision in decisions):
                assert changed["event"] == "release"
                assert changed["build"]["ok"] is True  # type: ignore[index]
                assert type(changed["version"]) in (str, int, float)
