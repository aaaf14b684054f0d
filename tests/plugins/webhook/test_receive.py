"""How a sender proves itself, which delivery it is, and what is read of it."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any, Literal
from urllib.parse import urlencode

import pytest
from tests.plugins.webhook.conftest import HMAC, PAYLOAD, SECRET, TOKEN, conf, release, webhook
from tests.senders_support import ABSENT, VALUES, decided, paths, replaced, told

from duct_tape.api import (
    MalformedError,
    RawDelivery,
    Runs,
    Secret,
    SignatureError,
    Template,
    UnsupportedMediaError,
)
from duct_tape_webhook.conf import HmacConf
from duct_tape_webhook.plugin import simulated

BODY = json.dumps(PAYLOAD).encode()


def delivery(payload: dict[str, Any] = PAYLOAD, **headers: str) -> RawDelivery:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return RawDelivery.build({"Content-Type": "application/json", **given}, json.dumps(payload).encode())


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_a_signature_in_hexadecimal(algorithm: Literal["sha256", "sha384", "sha512"]) -> None:
    digest = hmac.new(SECRET.reveal(), BODY, algorithm).hexdigest()
    receiver = webhook(hmac=HmacConf(header="X-Sum", algorithm=algorithm))
    receiver.verifier.verify(RawDelivery.build({"x-sum": digest}, BODY))
    for wrong in (digest.upper(), f"{algorithm}={digest}", digest[:-1], digest[:8], ""):
        with pytest.raises(SignatureError):
            receiver.verifier.verify(RawDelivery.build({"x-sum": wrong}, BODY))


def test_the_sender_does_not_choose_the_algorithm() -> None:
    weaker = hmac.new(SECRET.reveal(), BODY, hashlib.sha1).hexdigest()
    for value in (weaker, f"sha1={weaker}", f"sha256={weaker}"):
        with pytest.raises(SignatureError):
            webhook().verifier.verify(RawDelivery.build({"X-Signature": value}, BODY))


def test_a_token_is_as_good_for_any_body() -> None:
    receiver = webhook(token=TOKEN)
    receiver.verifier.verify(RawDelivery.build({"authorization": "Bearer only for these tests"}, b"anything"))
    for value in ("only for these tests", "Bearer another", "Bearer ", "bearer only for these tests"):
        with pytest.raises(SignatureError):
            receiver.verifier.admit(RawDelivery.build({"authorization": value}, BODY))


def test_several_secrets_are_tried() -> None:
    new = Secret("test", b"the next of these tests")
    old, both = webhook(), webhook(secrets=(new, SECRET))
    both.verifier.verify(old.verifier.sign(delivery()))
    with pytest.raises(SignatureError):
        old.verifier.verify(both.verifier.sign(delivery()))


@pytest.mark.parametrize(
    ("given", "sent", "expected"),
    [
        ({"delivery_header": "X-Id"}, delivery(X_Id="d-1"), "d-1"),
        ({"delivery_header": "X-Id"}, delivery(), hashlib.sha256(BODY).hexdigest()),
        ({"delivery_header": "X-Id"}, delivery(X_Id="with spaces"), hashlib.sha256(BODY).hexdigest()),
        ({"delivery": Template("b-{{ payload.build.number }}")}, delivery(), "b-7"),
        ({"delivery": Template("{{ payload.missing }}")}, delivery(), hashlib.sha256(BODY).hexdigest()),
        ({"delivery": Template("{{ payload.missing | d('') }}")}, delivery(), hashlib.sha256(BODY).hexdigest()),
        ({}, delivery(X_Id="d-1"), hashlib.sha256(BODY).hexdigest()),
    ],
)
def test_the_id_of_a_delivery(given: dict[str, Any], sent: RawDelivery, expected: str) -> None:
    [(event, _)] = webhook(**given).understood(sent)
    assert event.delivery == expected


def test_a_form_is_read_where_one_is_expected() -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    sent = RawDelivery.build(form, urlencode({"data": BODY.decode()}).encode())
    with_form = webhook(form="data")
    assert (told(with_form, sent), told(with_form, delivery())) == ("v1.0.0", "v1.0.0")
    assert told(with_form, RawDelivery.build(form, b"other=1")) == "malformed"
    with pytest.raises(UnsupportedMediaError):
        webhook().understood(sent)


def test_only_an_object_is_a_payload() -> None:
    for body in (b"", b"[]", b"null", b'"x"', b"\xff", b'{"a": 1, "a": 2}', b"{"):
        with pytest.raises(MalformedError):
            webhook().understood(simulated(body))


def test_what_is_not_wanted_is_ignored_with_the_reason() -> None:
    for changes in ({"event": "test"}, {"build": {"ok": False}}, {"build": {"ok": "true"}}, {"version": None}):
        said = told(webhook(), delivery(PAYLOAD | changes))
        assert said.startswith("rule `release`: ")
    assert "is text, not true or false" in told(webhook(), delivery(PAYLOAD | {"build": {"ok": "true"}}))


def test_the_same_event_by_another_delivery() -> None:
    receiver = webhook(delivery_header="X-Id", rules={"release": release(key=Template("{{ payload.build.number }}"))})
    [first] = decided(receiver, delivery(X_Id="d-1"))
    [second] = decided(receiver, delivery(PAYLOAD | {"published_at": "later"}, X_Id="d-2"))
    assert isinstance(first, Runs)
    assert isinstance(second, Runs)
    assert first.key == second.key


# What the rule reads, with what may stand there.
READ = {
    "event": (),
    "build": (),
    "build.ok": (True,),
    "version": (0, 1.5, "x"),
    "project": (),
    "project.name": (0, 1.5, "x", True),
}


def test_a_mistyped_value_never_deploys() -> None:
    receiver = webhook()
    wrong = []
    for path in paths(PAYLOAD):
        for value in VALUES:
            said = told(receiver, delivery(replaced(PAYLOAD, path, value)))
            fine = path not in READ or any(type(value) is type(item) and value == item for item in READ[path])
            # What is written where the version belongs is the version: nobody knows better.
            expected = str(value) if path == "version" else "v1.0.0"
            if said != expected if fine else not said.startswith("rule `release`: "):
                wrong.append((path, "absent" if value is ABSENT else value, said))
    assert wrong == []


def test_the_secret_is_not_shown() -> None:
    assert "only for these tests" not in repr(conf()) + repr(webhook().verifier) + repr(webhook(token=TOKEN).verifier)
    assert HMAC.algorithm == "sha256"
