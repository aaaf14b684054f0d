"""Secrets that are shown: in a header, or as the end of the URL."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.server_support import Recorder, decide, parse, plugin
from tests.toolbox_support import refused

from duct_tape.delivery import RawDelivery
from duct_tape.secret import Secret
from duct_tape.testing import Harness
from duct_tape.tokens import SecretPath, SharedToken, fits_path
from duct_tape.verifier import Verifier
from duct_tape.web.receive import Receiver, ReceiverRoute, json_delivery

TOKEN = "glptt-4f1d0c5a9b3e4c7d8a6f"

CONFIGURATION = """
[triggers.deploy]
action = "record"
[plugins.recorder]
[plugins.mine]
"""


def secret(value: str | bytes = TOKEN) -> Secret:
    return Secret("a test", value.encode() if isinstance(value, str) else value)


def passes(verifier: Verifier, delivery: RawDelivery) -> bool:
    """As far as headers show: the body has no part in it."""
    told = {refused(check, delivery) for check in (verifier.admit, verifier.verify)}
    assert len(told) == 1
    return told == {False}


@pytest.mark.parametrize(
    ("prefix", "values", "good"),
    [
        ("", [TOKEN], True),
        ("Bearer ", [f"Bearer {TOKEN}"], True),
        ("", [], False),
        ("", [""], False),
        ("", [TOKEN, TOKEN], False),
        ("", [TOKEN[:-1]], False),
        ("", [TOKEN + "0"], False),
        ("", [TOKEN.upper()], False),
        ("", [f" {TOKEN}"], False),
        ("", [f"{TOKEN}\n"], False),
        ("", [f"{TOKEN}\ud800"], False),
        ("", [TOKEN.replace("4", "４")], False),
        ("", [f"Bearer {TOKEN}"], False),
        ("Bearer ", [TOKEN], False),
        ("Bearer ", [f"bearer {TOKEN}"], False),
        ("Bearer ", [f"Bearer  {TOKEN}"], False),
        ("Bearer ", [f"Bearer Bearer {TOKEN}"], False),
        ("Bearer ", ["Bearer "], False),
        ("Bearer ", ["Bearer"], False),
    ],
)
def test_the_token_and_nothing_else(prefix: str, values: list[str], good: bool) -> None:
    verifier = SharedToken("X-Gitlab-Token", secrets=[secret()], prefix=prefix)
    delivery = RawDelivery.build([("x-gitlab-token", value) for value in values], b"{}")
    assert passes(verifier, delivery) is good


@given(st.binary(min_size=1, max_size=60), st.binary(max_size=60))
def test_any_bytes_may_be_a_token(value: bytes, other: bytes) -> None:
    verifier = SharedToken("X-Token", secrets=[secret(value)])
    assert passes(verifier, verifier.sign(RawDelivery.build({}, b"")))
    assert passes(verifier, RawDelivery.build({"X-Token": other.decode("latin-1")}, b"")) is (other == value)


@pytest.mark.parametrize(
    ("path", "good"),
    [
        (f"/{TOKEN}", True),
        ("", False),
        ("/", False),
        (f"//{TOKEN}", False),
        (f"/{TOKEN}/", False),
        (f"/{TOKEN[:-1]}", False),
        (f"/{TOKEN}0", False),
        (f"/{TOKEN.upper()}", False),
        (f"/{TOKEN}\ud800", False),
        (f"/{TOKEN}é", False),
    ],
)
def test_the_path_and_nothing_else(path: str, good: bool) -> None:
    assert passes(SecretPath(secrets=[secret()]), RawDelivery.build({}, b"", path)) is good


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        (TOKEN, True),
        ("AZaz09._~-", True),
        ("", False),
        ("a/b", False),
        ("a%20b", False),
        ("a b", False),
        ("a?b", False),
        ("a#b", False),
        ("pässwörd", False),
        (b"\xff", False),
        ("token\n", False),
    ],
)
def test_what_can_stand_in_a_url(value: str | bytes, fits: bool) -> None:
    assert fits_path(secret(value)) is fits


def integration(verifier: Verifier, path: str = "/") -> object:
    def sample(wanted: object) -> RawDelivery:
        return json_delivery(b'{"delivery": "d-1"}')

    receiver = Receiver(verifier=verifier, parse=parse, decide=decide, sample=sample)
    return plugin(routes=lambda ctx: [ReceiverRoute(receiver, path)])


@pytest.mark.parametrize("value", [TOKEN, "ein-schönes-längeres-Wörtchen"])
def test_a_token_comes_through_a_server(ducttape: Callable[..., Harness], value: str) -> None:
    """As its bytes, which HTTP does not read as UTF-8."""
    mine = integration(SharedToken("X-Token", secrets=[secret(value)]))
    harness = ducttape(CONFIGURATION, plugins={"recorder": Recorder().module, "mine": mine})
    assert harness.send("mine").status_code == 202
    assert harness.send("mine", signed=False).status_code == 401
    headers = {b"X-Token": secret(value).reveal()}
    content = b'{"delivery": "d-2"}'
    assert harness.client.post("/integrations/mine", content=content, headers=headers).status_code == 202


def test_a_secret_path_comes_through_a_server(
    ducttape: Callable[..., Harness], caplog: pytest.LogCaptureFixture
) -> None:
    mine = integration(SecretPath(secrets=[secret()]), "/{secret}")
    harness = ducttape(CONFIGURATION, plugins={"recorder": Recorder().module, "mine": mine})
    caplog.set_level("DEBUG", "duct_tape")
    assert harness.send("mine").status_code == 202
    content = b'{"delivery": "d-2"}'
    for path in (f"/{TOKEN}0", f"/{TOKEN[:-1]}", "/wrong"):
        assert harness.client.post(f"/integrations/mine{path}", content=content).status_code == 401
    assert harness.client.post("/integrations/mine", content=content).status_code == 404
    assert harness.client.post(f"/integrations/mine/{TOKEN}/", content=content).status_code == 404
    assert not [record for record in caplog.records if record.name != "httpx2" and TOKEN in record.getMessage()]
