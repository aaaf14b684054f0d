"""Signatures: known vectors, and refusal of everything else with one text."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.toolbox_support import refused

from duct_tape.delivery import RawDelivery
from duct_tape.errors import MalformedError, SignatureError
from duct_tape.secret import Secret
from duct_tape.signatures import Algorithm, Encoding, Hmac

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


# Of RFC 4231, test case 2.
RFC_KEY = b"Jefe"
RFC_BODY = b"what do ya want for nothing?"
RFC: dict[Algorithm, str] = {
    "sha256": "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    "sha384": "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
    "sha512": "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fd"
    "caeab1a34d4a6b4b636e070a38bce737",
}


def passes(verifier: Hmac, value: str, body: bytes = RFC_BODY) -> bool:
    return not refused(verifier.verify, RawDelivery.build({"X-Signature": value}, body))


def rfc(algorithm: Algorithm, encoding: Encoding = "hex", prefix: str = "") -> Hmac:
    return Hmac("X-Signature", secrets=[secret(RFC_KEY)], algorithm=algorithm, encoding=encoding, prefix=prefix)


@pytest.mark.parametrize("algorithm", RFC)
@pytest.mark.parametrize("prefix", ["", "sha256=", "v0=", "0"])
def test_vectors_of_the_rfc(algorithm: Algorithm, prefix: str) -> None:
    verifier = rfc(algorithm, prefix=prefix)
    assert verifier.sign(RawDelivery.build({}, RFC_BODY)).value("x-signature") == prefix + RFC[algorithm]
    assert passes(verifier, prefix + RFC[algorithm])
    assert not passes(verifier, prefix + RFC[algorithm].upper())
    assert not passes(verifier, prefix + prefix + RFC[algorithm]) or not prefix


@pytest.mark.parametrize(("algorithm", "padding"), [("sha256", 1), ("sha384", 0), ("sha512", 2)])
def test_base64_with_its_padding_only(algorithm: Algorithm, padding: int) -> None:
    verifier = rfc(algorithm, "base64")
    good = base64.b64encode(bytes.fromhex(RFC[algorithm])).decode()
    digits = good.rstrip("=")
    assert len(good) - len(digits) == padding
    for count in range(4):
        padded = RawDelivery.build({"X-Signature": digits + "=" * count}, RFC_BODY)
        assert {refused(check, padded) for check in (verifier.admit, verifier.verify)} == {count != padding}
    urlsafe = good.replace("+", "-").replace("/", "_")
    other = [f" {good}", f"{good}\n", f"={good[1:]}", good[:-1], digits[:-1], f"{good[:8]}\n{good[8:]}", RFC[algorithm]]
    assert not any(passes(verifier, value) for value in [*other, *([urlsafe] if urlsafe != good else [])])


def test_bits_that_base64_does_not_need_are_no_second_form() -> None:
    """43 digits hold two bits more than 32 bytes: decoded, four texts would be the same."""
    good = base64.b64encode(bytes.fromhex(RFC["sha256"])).decode()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    same = [f"{good[:42]}{digit}=" for digit in alphabet]
    assert len({base64.b64decode(text) for text in same}) == 16
    assert [text for text in same if passes(rfc("sha256", "base64"), text)] == [good]


@pytest.mark.parametrize("algorithm", RFC)
@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_the_algorithm_is_never_the_senders(algorithm: Algorithm, encoding: Encoding) -> None:
    for other in set(RFC) - {algorithm}:
        signed = rfc(other, encoding).sign(RawDelivery.build({}, RFC_BODY)).values("X-Signature")[0]
        assert not passes(rfc(algorithm, encoding), signed)


def test_an_unknown_algorithm_is_no_verifier() -> None:
    with pytest.raises(ValueError, match="unsupported hash type md17"):
        Hmac("X-Signature", secrets=[secret()], algorithm="md17")  # type: ignore[arg-type]


def stamped(delivery: RawDelivery) -> bytes:
    moment = delivery.value("X-Moment")
    if moment is None:
        raise MalformedError("the header X-Moment is missing, and this must not be told")
    return moment.encode() + b"." + delivery.body


def test_other_bytes_than_the_body_may_be_signed() -> None:
    verifier = Hmac("X-Signature", secrets=[secret()], signed=stamped)
    signed = verifier.sign(RawDelivery.build({"X-Moment": "17"}, BODY))
    verifier.verify(signed)
    assert signed.value("X-Signature") == hmac.new(DOCUMENTED, b"17." + BODY, hashlib.sha256).hexdigest()
    with pytest.raises(SignatureError):
        verifier.verify(RawDelivery.build([("X-Moment", "18"), *signed.headers[1:]], BODY))


def test_what_cannot_be_signed_is_refused_with_the_one_text() -> None:
    verifier = Hmac("X-Signature", secrets=[secret()], signed=stamped, prefix="sha256=")
    unstamped = RawDelivery.build({"X-Signature": GOOD}, BODY)
    verifier.admit(unstamped)
    with pytest.raises(SignatureError, match=r"^the signature is missing or wrong$") as caught:
        verifier.verify(unstamped)
    assert caught.value.__cause__ is None
    with pytest.raises(MalformedError):
        verifier.sign(RawDelivery.build({}, BODY))


def test_no_secret_is_shown() -> None:
    assert "Everybody" not in repr(Hmac("X-Signature", secrets=[secret()]))
