"""Whatever arrives: a decision, or an error with a name."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st
from tests.plugins.bitbucket.conftest import EVENTS, REPOSITORY, Bitbucket
from tests.senders_support import decided

from duct_tape.api import MalformedError, RawDelivery, Runs, Sample, SignatureError, UnsupportedMediaError
from duct_tape_bitbucket.receive import PING, Flavour
from duct_tape_bitbucket.sample import sample

BITBUCKET = Bitbucket.of(on=("tag", "branch"), branches=("*",))
FLAVOURS: list[Flavour] = ["cloud", "data-center"]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
KEYS = ("push", "repository", "changes", "date", "actor", "test")
NAMES = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=50)
events = st.sampled_from([*EVENTS.values(), PING, "pullrequest:created"])


@given(st.lists(st.tuples(st.text(), st.text()), max_size=5), st.binary())
def test_any_bytes_are_refused(headers: list[tuple[str, str]], body: bytes) -> None:
    for check in (BITBUCKET.receiver.verifier.admit, BITBUCKET.receiver.verifier.verify):
        try:
            check(RawDelivery.build(headers, body))
        except SignatureError:
            continue
        raise AssertionError("no signature, and accepted")


@given(events, st.binary(), st.sampled_from(["application/json", "application/x-www-form-urlencoded"]))
def test_any_body_has_an_answer(event: str, body: bytes, kind: str) -> None:
    with suppress(MalformedError, UnsupportedMediaError):
        BITBUCKET.receiver.understood(RawDelivery.build({"Content-Type": kind, "X-Event-Key": event}, body))


@given(events, st.dictionaries(st.sampled_from(KEYS), json_values))
def test_any_object_has_an_answer(event: str, payload: dict[str, object]) -> None:
    try:
        decisions = decided(BITBUCKET.receiver, BITBUCKET.delivery(payload, event))
    except MalformedError:
        return
    assert not any(isinstance(decision, Runs) for decision in decisions)


@given(st.sampled_from(FLAVOURS), st.sampled_from(["tag", "branch"]), NAMES)
def test_every_sample_is_deployed(flavour: Flavour, kind: str, name: str) -> None:
    delivery = sample(Sample(repository=REPOSITORY, kind=kind, tag=name), flavour)
    [decision] = decided(BITBUCKET.receiver, delivery)
    assert isinstance(decision, Runs)
    assert decision.title == name


def test_no_body_passes_for_another_event() -> None:
    """The event's name is not signed: who replays a delivery can change it."""
    for flavour, right in EVENTS.items():
        for event in EVENTS.values():
            told = BITBUCKET.told(BITBUCKET.payload(flavour), event)
            assert told == ("v1.0.0" if event == right else "malformed")
