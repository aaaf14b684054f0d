"""Whatever is in a delivery: a decision or a typed error, and never a deploy of what was mistyped."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.plugins.gitlab.read_support import READ
from tests.senders_support import mistyped, paths, unread

from duct_tape.api import (
    Decision,
    Event,
    MalformedError,
    RawDelivery,
    Runs,
    Secret,
    SignatureError,
    UnsupportedMediaError,
)
from duct_tape_gitlab import receive
from duct_tape_gitlab.conf import GitLabConf

if TYPE_CHECKING:
    from tests.plugins.gitlab.conftest import GitLab


def decided(gitlab: GitLab, payload: dict[str, Any]) -> Decision | None:
    try:
        return gitlab.decide(payload)
    except MalformedError:
        return None


@pytest.mark.parametrize("kind", READ)
def test_a_mistyped_field_never_deploys(gitlab: GitLab, kind: str) -> None:
    payload = gitlab.payload(kind)
    assert set(READ[kind]) <= set(paths(payload))
    tried = 0
    for where, wrong in mistyped(payload, READ[kind]):
        assert not isinstance(decided(gitlab, wrong), Runs), where
        tried += 1
    assert tried > 50


@pytest.mark.parametrize("kind", READ)
def test_what_is_not_read_may_be_anything(gitlab: GitLab, kind: str) -> None:
    payload = gitlab.payload(kind)
    usual = decided(gitlab, payload)
    assert isinstance(usual, Runs)
    for where, other in unread(payload, READ[kind]):
        assert decided(gitlab, other) == usual, where


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
KINDS = ("release", "tag_push", "push", "pipeline", "issue")
KEYS = sorted({key.partition(".")[0] for read in READ.values() for key in read})
bodies = st.binary() | st.builds(
    lambda kind, more: json.dumps({"object_kind": kind, **more}).encode(),
    st.sampled_from(KINDS),
    st.dictionaries(st.sampled_from(KEYS), values),
)
headers = st.lists(
    st.tuples(
        st.sampled_from(["Content-Type", "X-Gitlab-Token", "Idempotency-Key", "webhook-id", "webhook-signature"]),
        st.text() | st.just("application/json"),
    )
)


@given(bodies)
def test_any_body_is_an_event_or_a_typed_error(body: bytes) -> None:
    try:
        event = receive.parse(RawDelivery.build({"Content-Type": "application/json"}, body))
    except MalformedError:
        return
    assert isinstance(event, Event)


@given(headers, bodies)
def test_strangers_are_refused_whatever_they_send(pairs: list[tuple[str, str]], body: bytes) -> None:
    delivery = RawDelivery.build(pairs, body)
    for conf in (
        GitLabConf(secrets=(Secret("test", b"a token that nobody guesses"),)),
        GitLabConf(signing_secrets=(Secret("test", b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),)),
    ):
        with pytest.raises(SignatureError):
            receive.verifier(conf).verify(delivery)
    try:
        receive.parse(delivery)
    except (MalformedError, UnsupportedMediaError):
        return
