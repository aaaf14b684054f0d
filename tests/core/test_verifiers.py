"""What all verifiers have in common: one conformance for each of them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from typing import get_args

import pytest
from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st
from tests.toolbox_support import refused

from duct_tape.delivery import RawDelivery
from duct_tape.secret import Secret
from duct_tape.signatures import Algorithm, Encoding, Hmac
from duct_tape.standard_webhooks import StandardWebhooks
from duct_tape.tokens import SecretPath, SharedToken
from duct_tape.verifier import Verifier

NOW = 1614265330.0


@frozen
class Way:
    """One way of proving where a delivery comes from.

    :param make: the verifier for these secrets.
    :param header: the header that it looks at, if any.
    :param covers_body: whether it notices another body.
    """

    name: str
    make: Callable[[Sequence[Secret]], Verifier]
    header: str = ""
    covers_body: bool = False


def hmacs() -> Iterator[Way]:
    def way(algorithm: Algorithm, encoding: Encoding) -> Way:
        def make(secrets: Sequence[Secret]) -> Verifier:
            return Hmac("X-Signature", secrets=secrets, algorithm=algorithm, encoding=encoding, prefix="v0=")

        return Way(f"{algorithm}, {encoding}", make, "x-signature", covers_body=True)

    return (way(algorithm, encoding) for algorithm in get_args(Algorithm) for encoding in get_args(Encoding))


def standard(secrets: Sequence[Secret]) -> Verifier:
    return StandardWebhooks(secrets=secrets, clock=lambda: NOW)


WAYS = [
    *hmacs(),
    Way("shared token", lambda secrets: SharedToken("X-Token", secrets=secrets, prefix="Bearer "), "x-token"),
    Way("secret path", lambda secrets: SecretPath(secrets=secrets)),
    Way("standard webhooks", standard, "webhook-signature", covers_body=True),
]
SECRETS = [
    Secret("a test", b"whsec_" + base64.b64encode(key * 8)) for key in (b"one", b"two", b"three", b"four", b"five")
]

ways = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
bodies = st.binary(max_size=200)


def passes(verifier: Verifier, delivery: RawDelivery) -> bool:
    """Whether the delivery is the sender's: ``admit`` has to let through whatever ``verify`` does."""
    if refused(verifier.verify, delivery):
        return False
    verifier.admit(delivery)
    verifier.admit(evolve(delivery, body=b""))
    return True


def admits(verifier: Verifier, delivery: RawDelivery) -> bool:
    return not refused(verifier.admit, delivery)


def unsigned(body: bytes = b"{}") -> RawDelivery:
    return RawDelivery.build({"Content-Type": "application/json"}, body)


@ways
@given(body=bodies)
def test_what_is_signed_passes(way: Way, body: bytes) -> None:
    verifier = way.make(SECRETS[:1])
    assert passes(verifier, verifier.sign(unsigned(body)))


@ways
def test_what_is_not_signed_is_refused_and_not_admitted(way: Way) -> None:
    verifier = way.make(SECRETS[:1])
    assert not passes(verifier, unsigned())
    assert not admits(verifier, unsigned())


@ways
@given(body=bodies, at=st.integers(0, 200), byte=st.integers(0, 255))
def test_another_body_is_refused_where_it_is_signed(way: Way, body: bytes, at: int, byte: int) -> None:
    verifier = way.make(SECRETS[:1])
    signed = verifier.sign(unsigned(body))
    other = body[:at] + bytes([byte]) + body[at + 1 :]
    assert passes(verifier, evolve(signed, body=other)) is (other == body or not way.covers_body)


def changed(text: str, at: int, character: str) -> str:
    at %= len(text) + 1
    return text[:at] + character + text[at + 1 :]


CHARACTERS = st.characters(categories=None) | st.sampled_from("0aA+/=_. ,\ud800\x00é１")


@ways
@given(at=st.integers(0, 300), character=CHARACTERS)
def test_any_changed_character_of_header_or_path_is_refused(way: Way, at: int, character: str) -> None:
    verifier = way.make(SECRETS[:1])
    signed = verifier.sign(unsigned())
    if way.header:
        headers = tuple(
            (name, changed(value, at, character) if name == way.header else value) for name, value in signed.headers
        )
        other = evolve(signed, headers=headers)
    else:
        other = evolve(signed, path=changed(signed.path, at, character))
    # A space ends a signature of Standard Webhooks, and what comes after it is another one.
    spaced = way.name == "standard webhooks" and other.values(way.header)[0].rstrip(" ") == signed.value(way.header)
    assert passes(verifier, other) is (other == signed or spaced)


@ways
def test_a_header_that_is_there_twice_is_refused(way: Way) -> None:
    verifier = way.make(SECRETS[:1])
    signed = verifier.sign(unsigned())
    for name, value in signed.headers:
        if name != "content-type":
            twice = signed.with_header(name.upper(), value)
            assert not passes(verifier, twice)
            assert not admits(verifier, twice)


@ways
def test_names_of_headers_are_the_same_in_upper_and_lower_case(way: Way) -> None:
    verifier = way.make(SECRETS[:1])
    signed = verifier.sign(unsigned())
    assert passes(
        verifier, RawDelivery.build([(name.upper(), value) for name, value in signed.headers], b"{}", signed.path)
    )


@ways
def test_every_secret_counts_and_no_other(way: Way) -> None:
    several, other = way.make(SECRETS[:3]), way.make(SECRETS[3:])
    for secret in SECRETS[:3]:
        signed = way.make([secret]).sign(unsigned())
        assert passes(several, signed)
        assert not passes(other, signed)
    # It signs with the first, which is the one that the sender is given next.
    assert passes(way.make(SECRETS[:1]), several.sign(unsigned()))


@ways
def test_no_secret_and_an_empty_one_let_nobody_in(way: Way) -> None:
    empty = Secret("a test", b"")
    for forged in (way.make([empty]).sign(unsigned()), unsigned()):
        assert not any(passes(way.make(secrets), forged) for secrets in ([], [empty], [empty, *SECRETS]))
    signed = way.make(SECRETS).sign(unsigned())
    assert not any(passes(way.make(secrets), signed) for secrets in ([], [empty]))
    assert passes(way.make([empty, *SECRETS]), signed)


@ways
def test_no_secret_is_shown(way: Way) -> None:
    verifier = way.make(SECRETS)
    shown = repr(verifier) + repr(verifier.sign(unsigned()))
    for secret in SECRETS:
        assert secret.reveal().decode() not in shown


HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["X-Signature", "x-token", "webhook-id", "webhook-timestamp", "webhook-signature", "other"]),
        st.text(st.characters(categories=None), max_size=60)
        | st.sampled_from(["v0=" + "0" * 64, "v0=" + "A" * 43 + "=", "Bearer x", "v1," + "A" * 43 + "=", "1614265330"]),
    ),
    max_size=5,
)


@ways
@given(headers=HEADERS, body=bodies, path=st.text(st.characters(categories=None), max_size=20))
def test_anything_is_refused_with_one_text(way: Way, headers: list[tuple[str, str]], body: bytes, path: str) -> None:
    verifier = way.make(SECRETS)
    delivery = RawDelivery.build(headers, body, path)
    assert not passes(verifier, delivery)
    # What says nothing about the body is refused before the body is read.
    assert not (admits(verifier, delivery) and not way.covers_body)


@ways
def test_what_is_signed_wrongly_but_in_the_right_form_needs_the_body(way: Way) -> None:
    verifier, other = way.make(SECRETS[:1]), way.make(SECRETS[1:])
    signed = other.sign(unsigned())
    assert not passes(verifier, signed)
    assert admits(verifier, signed) is way.covers_body


@ways
def test_a_huge_header_or_path_is_refused_without_an_error(way: Way) -> None:
    verifier = way.make(SECRETS[:1])
    huge = "v1," + "A" * 100_000 + " v1," * 10_000
    signed = verifier.sign(unsigned())
    headers = [(name, huge if name == way.header else value) for name, value in signed.headers]
    assert not passes(verifier, RawDelivery.build(headers, b"{}", "/" + huge))
