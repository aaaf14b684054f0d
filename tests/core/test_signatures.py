"""Signatures: known vectors, and refusal of everything else with one text."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duct_tape.delivery import RawDelivery
from duct_tape.errors import SignatureError
from duct_tape.secret import Secret
from duct_tape.signatures import Hmac

# Of GitHub's documentation: "Validating webhook deliveries".
DOCUMENTED = b"It's a Secret to Everybody"
GOOD = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
BODY = b"Hello, World!"
RELEASE = b'{"action":"published","release":{"tag_name":"v1.0.0"}}'
FORM = b"payload=%7B%22action%22%3A%22published%22%2C%22release%22%3A%7B%22tag_name%22%3A%22v1.0.0%22%7D%7D"


def verified(values: Sequence[str], body: bytes, secrets: Sequence[Secret], prefix: str = "sha256=") -> None:
    delivery = RawDelivery.build([("X-Signature", value) for value in values], body)
    verifier = Hmac("X-Signature", secrets=secrets, prefix=prefix)
    verifier.verify(delivery)
    # What passes was admitted, whatever the body.
    verifier.admit(RawDelivery.build(delivery.headers, b""))


def signed(key: bytes, body: bytes) -> str:
    verifier = Hmac("X-Signature", secrets=[secret(key)], prefix="sha256=")
    return verifier.sign(RawDelivery.build({}, body)).values("X-Signature")[0]


def secret(value: bytes = DOCUMENTED) -> Secret:
    return Secret("a test", value)


@pytest.mark.parametrize(
    ("key", "body", "signature"),
    [
        (DOCUMENTED, BODY, GOOD),
        (DOCUMENTED, RELEASE, "sha256=3c87f4252240524cdad4c208254d6ed5562e939ce24cafedd7066933dd518674"),
        (DOCUMENTED, FORM, "sha256=4e05980180f6d62026764a79f2e23748fcc17e9767a7a42782f0e7df208b41ed"),
        (DOCUMENTED, b"", "sha256=66a0c074deaa0f489ead6537e0d32f9a344b90bbeda705b6ed45ecd3b413fb40"),
        ("pässwörd".encode(), RELEASE, "sha256=70e9b5e437136b4c5f2b75b31d7dae01c9113cbef7bd6fba69d70622843bbe18"),
    ],
)
def test_known_vectors(key: bytes, body: bytes, signature: str) -> None:
    assert signed(key, body) == signature
    verified([signature], body, [secret(key)])


def test_every_secret_is_tried() -> None:
    verified([GOOD], BODY, [secret(b"old"), secret(), secret(b"new")])


def test_the_prefix_is_the_integrations() -> None:
    bare = GOOD.removeprefix("sha256=")
    verified([bare], BODY, [secret()], prefix="")
    with pytest.raises(SignatureError):
        verified([bare], BODY, [secret()])


@pytest.mark.parametrize(
    "values",
    [
        [],
        [GOOD, GOOD],
        [""],
        ["sha256="],
        [GOOD[:-1]],
        [GOOD[:20]],
        [f"{GOOD}0"],
        [f"{GOOD}\n"],
        [f" {GOOD}"],
        [f"junk{GOOD}"],
        [GOOD.upper()],
        [GOOD.replace("sha256=", "SHA256=")],
        [GOOD.replace("sha256=", "sha1=")],
        [GOOD.replace("7", "７")],
        ["sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59"],
        ["sha256=01dc10d0c83e72ed246219cdd91669667fe2ca59"],
        [f"{GOOD},{GOOD}"],
        ["sha256=\ud800" + "0" * 63],
    ],
)
def test_anything_but_the_exact_form_is_refused(values: list[str]) -> None:
    with pytest.raises(SignatureError, match=r"^the signature is missing or wrong$"):
        verified(values, BODY, [secret()])


def test_a_wrong_body_or_secret_is_refused() -> None:
    for body, secrets in ((BODY + b" ", [secret()]), (BODY, [secret(DOCUMENTED[:-1])]), (BODY, [])):
        with pytest.raises(SignatureError, match=r"^the signature is missing or wrong$"):
            verified([GOOD], body, secrets)


def test_an_empty_secret_signs_nothing() -> None:
    with pytest.raises(SignatureError):
        verified([signed(b"", BODY)], BODY, [secret(b"")])


@given(st.lists(st.text(st.characters(categories=None)) | st.just(GOOD), max_size=2), st.binary(), st.binary())
def test_any_input_gives_an_answer(values: list[str], body: bytes, key: bytes) -> None:
    try:
        verified(values, body, [secret(key)])
    except SignatureError:
        return
    assert values == [f"sha256={hmac.new(key, body, hashlib.sha256).hexdigest()}"]


@given(st.binary(min_size=1), st.binary(), st.integers(7, 70), st.sampled_from("0123456789abcdef"))
def test_one_other_digit_is_refused(key: bytes, body: bytes, at: int, digit: str) -> None:
    good = signed(key, body)
    verified([good], body, [secret(key)])
    other = good[:at] + digit + good[at + 1 :]
    if other != good:
        with pytest.raises(SignatureError):
            verified([other], body, [secret(key)])
