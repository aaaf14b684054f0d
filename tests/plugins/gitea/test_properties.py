"""Whatever arrives: a decision, or an error with a name."""

from __future__ import annotations

import json
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st
from tests.plugins.gitea.conftest import REPOSITORY, Gitea
from tests.senders_support import decided

from duct_tape.api import MalformedError, RawDelivery, Runs, Sample, SignatureError, UnsupportedMediaError
from duct_tape_gitea.receive import Flavour
from duct_tape_gitea.sample import sample

GITEA = Gitea.of(on=("release", "tag", "branch"), branches=("*",))
FLAVOURS: list[Flavour] = ["gitea", "forgejo", "gogs"]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
KEYS = ("action", "release", "repository", "ref", "ref_type", "sha", "before", "after", "secret", "pusher")
names = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=50)
events = st.sampled_from(["release", "create", "push", "delete", "issues"])


@given(st.lists(st.tuples(st.text(), st.text()), max_size=5), st.binary())
def test_any_bytes_are_refused(headers: list[tuple[str, str]], body: bytes) -> None:
    delivery = RawDelivery.build([*headers, ("Content-Type", "application/json")], body)
    for check in (GITEA.receiver.verifier.admit, GITEA.receiver.verifier.verify):
        try:
            check(delivery)
        except SignatureError:
            continue
        raise AssertionError("no signature, and accepted")


@given(events, st.binary(), st.sampled_from(["application/json", "application/x-www-form-urlencoded", "text/plain"]))
def test_any_body_has_an_answer(event: str, body: bytes, kind: str) -> None:
    headers = {"Content-Type": kind, "X-Gitea-Event": event, "X-Gitea-Delivery": "1"}
    with suppress(MalformedError, UnsupportedMediaError):
        GITEA.receiver.understood(RawDelivery.build(headers, body))


@given(events, st.dictionaries(st.sampled_from(KEYS), json_values))
def test_any_object_has_an_answer(event: str, payload: dict[str, object]) -> None:
    try:
        decisions = decided(GITEA.receiver, GITEA.delivery(payload, event))
    except MalformedError:
        return
    assert not any(isinstance(decision, Runs) for decision in decisions)


@given(st.sampled_from(FLAVOURS), st.sampled_from(["release", "tag", "branch"]), names)
def test_every_sample_is_deployed(flavour: Flavour, kind: str, name: str) -> None:
    gitea = Gitea.of(flavour, on=("release", "tag", "branch"), branches=("*",))
    delivery = sample(Sample(repository=REPOSITORY, kind=kind, tag=name), flavour)
    [decision] = decided(gitea.receiver, delivery)
    assert isinstance(decision, Runs)
    assert decision.title == name


@given(events, st.sampled_from(["release", "tag", "branch"]))
def test_no_body_passes_for_another_event(event: str, kind: str) -> None:
    """The event's name is not signed: who replays a delivery can change it."""
    body = json.loads(sample(Sample(repository=REPOSITORY, kind=kind)).body)
    right = {"release": "release", "tag": "create", "branch": "push"}[kind]
    told = GITEA.told(body, event)
    assert (told in ("v1.0.0", "main")) == (event == right)
    assert told == "malformed" or event in (right, "delete", "issues")
