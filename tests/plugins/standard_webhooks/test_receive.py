"""Deliveries of Standard Webhooks, with the vectors of its libraries."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from tests.plugins.standard_webhooks.conftest import PAYLOAD, SECRET, sender
from tests.senders_support import ABSENT, VALUES, paths, replaced, told

from duct_tape.api import MalformedError, RawDelivery, Runs, SignatureError, UnsupportedMediaError
from duct_tape_standard_webhooks.conf import StandardWebhooksConf
from duct_tape_standard_webhooks.receive import simulated

BODY = b'{"action":"published","release":{"tag_name":"v1.0.0"}}'
HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,0I1MsVGAGa6GraM94WtBjDyKSQYSqenA/mZPJm+v6tE=",
}


@pytest.fixture
def then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1614265330.0)


def delivery(payload: dict[str, Any], prefix: str = "webhook-") -> RawDelivery:
    return simulated(json.dumps(payload).encode(), prefix)


def test_the_published_vector(then: None) -> None:
    sender().verifier.verify(RawDelivery.build(HEADERS, BODY))
    for name in HEADERS:
        missing = {key: value for key, value in HEADERS.items() if key != name}
        with pytest.raises(SignatureError):
            sender().verifier.admit(RawDelivery.build(missing, BODY))
    with pytest.raises(SignatureError):
        sender().verifier.verify(RawDelivery.build(HEADERS, BODY + b" "))


def test_the_headers_of_svix(then: None) -> None:
    svix = {name.replace("webhook-", "svix-"): value for name, value in HEADERS.items()}
    sender(prefix="svix-").verifier.verify(RawDelivery.build(svix, BODY))
    for receiver, headers in ((sender(), svix), (sender(prefix="svix-"), HEADERS)):
        with pytest.raises(SignatureError):
            receiver.verifier.verify(RawDelivery.build(headers, BODY))


def test_its_id_and_type_are_read() -> None:
    for prefix in ("webhook-", "svix-"):
        receiver = sender(prefix=prefix)
        sent = delivery(PAYLOAD, prefix)
        [(event, decision)] = receiver.understood(sent)
        assert (event.name, event.delivery, event.action) == ("release.published", sent.value(f"{prefix}id"), "release")
        assert isinstance(decision, Runs)
        assert (decision.title, decision.version) == ("v1.0.0", "2026-01-02T03:04:05Z")


def test_a_body_without_a_type_is_read_too() -> None:
    [(event, _)] = sender().understood(delivery({"data": {}}))
    assert event.name == "webhook"
    for wrong in (5, "", "a\nb", "x" * 201, ["x"]):
        assert told(sender(), delivery(PAYLOAD | {"type": wrong})) == "malformed"


def test_what_is_no_delivery() -> None:
    with pytest.raises(MalformedError):
        sender().understood(RawDelivery.build({"Content-Type": "application/json"}, b"{}"))
    with pytest.raises(UnsupportedMediaError):
        sender().understood(delivery(PAYLOAD).with_header("Content-Type", "text/plain"))


READ = {
    "type": (),
    "timestamp": (),
    "data": (),
    "data.project": (0, 1.5, "x"),
    "data.version": (0, 1.5, "x"),
    "data.latest": (True,),
}


def test_a_mistyped_value_never_deploys() -> None:
    wrong = []
    for path in paths(PAYLOAD):
        for value in VALUES:
            said = told(sender(), delivery(replaced(PAYLOAD, path, value)))
            fine = any(type(value) is type(item) and value == item for item in READ[path])
            expected = str(value) if path == "data.version" else "v1.0.0"
            refused = said == "malformed" or said.startswith("rule `release`: ")
            if said != expected if fine else not refused:
                wrong.append((path, "absent" if value is ABSENT else value, said))
    assert wrong == []


def test_only_its_own_secrets_are_secrets() -> None:
    def found(*secrets: Any) -> list[str]:
        return [problem.message for problem in StandardWebhooksConf(secrets=secrets).ducttape_problems()]

    assert found(SECRET) == []
    assert found() == ["`secrets` is empty,"]
