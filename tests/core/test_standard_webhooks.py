"""Standard Webhooks: the vectors of the specification and of its libraries."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from tests.toolbox_support import refused

from duct_tape.delivery import RawDelivery
from duct_tape.secret import Secret
from duct_tape.standard_webhooks import StandardWebhooks, standard_webhooks_problems

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + base64.b64encode(b"another key of 32 bytes in total").decode()
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
MOMENT = 1614265330
BODY = b'{"test": 2432232314}'
GOOD = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
RELEASE = b'{"action":"published","release":{"tag_name":"v1.0.0"}}'
RELEASED = "v1,0I1MsVGAGa6GraM94WtBjDyKSQYSqenA/mZPJm+v6tE="
WRONG = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="
ED25519 = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="


def secret(value: str = SECRET) -> Secret:
    return Secret("environment variable X", value.encode("utf-8"))


def verifier(*secrets: str, now: float = MOMENT, prefix: str = "webhook-") -> StandardWebhooks:
    given = [secret(value) for value in secrets or (SECRET,)]
    return StandardWebhooks(secrets=given, prefix=prefix, clock=lambda: now)


def delivery(
    signature: str | None = GOOD,
    *,
    identity: str | None = ID,
    moment: str | None = str(MOMENT),
    body: bytes = BODY,
    prefix: str = "webhook-",
) -> RawDelivery:
    headers = {"id": identity, "timestamp": moment, "signature": signature}
    return RawDelivery.build({f"{prefix}{name}": value for name, value in headers.items() if value is not None}, body)


def passes(verifier: StandardWebhooks, delivery: RawDelivery) -> bool:
    if refused(verifier.verify, delivery):
        return False
    verifier.admit(evolve(delivery, body=b""))
    return True


def admitted(verifier: StandardWebhooks, delivery: RawDelivery) -> bool:
    return not refused(verifier.admit, delivery)


@pytest.mark.parametrize(("body", "signature"), [(BODY, GOOD), (RELEASE, RELEASED)])
def test_known_vectors(body: bytes, signature: str) -> None:
    assert passes(verifier(), delivery(signature, body=body))
    signed = verifier().sign(RawDelivery.build({"webhook-id": ID}, body))
    assert dict(signed.headers) == {
        "webhook-id": ID, "webhook-timestamp": str(MOMENT), "webhook-signature": signature,
    }  # fmt: skip


@pytest.mark.parametrize(
    "signature",
    [
        f"{WRONG} {GOOD}",
        f"{WRONG} v2,{GOOD[3:]} {GOOD} {WRONG}",
        f"{GOOD} {WRONG}",
        f"{ED25519} {GOOD}",
        f"v1, {GOOD}",
        f"junk  {GOOD} ",
        " ".join([WRONG] * 15 + [GOOD]),
    ],
)
def test_one_good_signature_of_several_is_enough(signature: str) -> None:
    assert passes(verifier(), delivery(signature))


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        " ",
        "v1,",
        "v1",
        GOOD[:8],
        GOOD[:-1],
        GOOD + "=",
        GOOD + "\n",
        GOOD[3:],
        "v2," + GOOD[3:],
        "v1a," + GOOD[3:],
        "V1," + GOOD[3:],
        "v1,v1," + GOOD[3:],
        "v1, " + GOOD[3:],
        "v1\u00a0" + GOOD,
        GOOD + "," + GOOD,
        GOOD.replace("+", "-").replace("/", "_"),
        ED25519,
        "v1,\ud800" + GOOD[4:],
        "v1," + "A" * 100_000,
        # After as many as no sender has.
        " ".join([WRONG] * 16 + [GOOD]),
    ],
)
def test_every_other_signature_is_refused(signature: str | None) -> None:
    assert not passes(verifier(), delivery(signature))


@pytest.mark.parametrize("missing", ["identity", "moment", "signature"])
def test_each_of_the_three_headers_is_needed_before_the_body_is_read(missing: str) -> None:
    none: Mapping[str, None] = {missing: None}
    lacking = delivery(**none)  # type: ignore[arg-type]
    assert not passes(verifier(), lacking)
    assert not admitted(verifier(), lacking)
    twice = delivery()
    name = {"identity": "webhook-id", "moment": "webhook-timestamp", "signature": "webhook-signature"}[missing]
    assert not admitted(verifier(), twice.with_header(name, twice.values(name)[0]))


@pytest.mark.parametrize(
    "moment",
    [
        "hello",
        "",
        "-161426533",
        "161426533.0",
        f"{MOMENT}.0",
        f"+{MOMENT}",
        f" {MOMENT}",
        f"{MOMENT}\n",
        f"{MOMENT:_}",
        "1.614265330e9",
        "0x60380",
        "nan",
        "inf",
        "9" * 5000,
        # Digits that `int` reads, too.
        "１６１４２６５３３０",
        "١٦١٤٢٦٥٣٣٠",
        "\ud800",
        str(MOMENT * 1000),
    ],
)
def test_a_time_is_ascii_digits_and_near(moment: str) -> None:
    assert not admitted(verifier(), delivery(moment=moment))
    assert not passes(verifier(), delivery(moment=moment))


@pytest.mark.parametrize(
    ("seconds", "good"), [(0, True), (300, True), (-300, True), (301, False), (-301, False), (1e6, False)]
)
def test_five_minutes_in_both_directions(seconds: float, good: bool) -> None:
    late = verifier(now=MOMENT + seconds)
    assert passes(late, delivery()) is good
    assert admitted(late, delivery()) is good


def test_another_tolerance() -> None:
    patient = evolve(verifier(now=MOMENT + 3600), tolerance=3600.0)
    assert passes(patient, delivery())
    assert not passes(patient, delivery(moment=str(MOMENT - 1)))


def test_the_clock_is_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    standard = StandardWebhooks(secrets=[secret()])
    assert not passes(standard, delivery())
    monkeypatch.setattr("time.time", lambda: MOMENT + 1.5)
    assert passes(standard, delivery())


@pytest.mark.parametrize("identity", ["", "msg.1", "msg 1", "msg_é", "x" * 201, "msg\n", "\ud800"])
def test_an_id_could_not_be_taken_for_a_time(identity: str) -> None:
    assert not admitted(verifier(), delivery(identity=identity))
    signed = verifier().sign(RawDelivery.build({"webhook-id": "x"}, BODY))
    headers = {**dict(signed.headers), "webhook-id": identity}
    assert not passes(verifier(), RawDelivery.build(headers, BODY))


@pytest.mark.parametrize(
    "other",
    [
        delivery(identity=ID + "x"),
        delivery(moment=str(MOMENT + 1)),
        delivery(body=BODY + b" "),
        delivery(body=b""),
    ],
)
def test_id_time_and_body_are_signed_together(other: RawDelivery) -> None:
    assert not passes(verifier(), other)


def test_a_secret_can_be_changed() -> None:
    both = verifier(OTHER, SECRET)
    assert passes(both, delivery())
    assert passes(both, verifier(OTHER).sign(RawDelivery.build({}, BODY)))
    assert not passes(verifier(OTHER), delivery())
    # The sender rotates with us: it signs with both of its keys.
    signed = both.sign(RawDelivery.build({"webhook-id": ID}, BODY)).values("webhook-signature")[0]
    assert passes(verifier(), delivery(f"{signed} {GOOD}"))


def test_the_prefix_of_svix() -> None:
    assert passes(verifier(prefix="svix-"), delivery(prefix="svix-"))
    assert not passes(verifier(prefix="svix-"), delivery())
    assert not passes(verifier(), delivery(prefix="svix-"))


def test_an_id_is_made_where_there_is_none() -> None:
    first, second = (verifier().sign(RawDelivery.build({}, BODY)) for _ in range(2))
    assert passes(verifier(), first)
    assert passes(verifier(), second)
    assert first.value("webhook-id") != second.value("webhook-id")


@given(st.text(st.characters(categories=None)), st.text(st.characters(categories=None)), st.binary())
def test_any_headers_give_an_answer(moment: str, signature: str, body: bytes) -> None:
    assert not passes(verifier(), delivery(signature, moment=moment, body=body))


def key(size: int, prefix: str = "whsec_") -> str:
    return prefix + base64.b64encode(b"k" * size).decode()


@pytest.mark.parametrize("value", [SECRET, key(24), key(64), key(32, ""), f" {SECRET}\n"])
def test_what_is_a_secret(value: str) -> None:
    assert not list(standard_webhooks_problems([secret(value)]))
    signed = verifier(value).sign(RawDelivery.build({}, BODY))
    assert passes(verifier(value), signed)


@pytest.mark.parametrize(
    "value",
    ["", "whsec_", "whsec_ ", key(23), key(65), key(24)[:-1] + "!", "whsec_pässwörd", "whsk_" + key(32, ""), "\x00"],
)
def test_what_is_none_lets_nobody_in(value: str) -> None:
    (problem,) = standard_webhooks_problems([secret(), secret(value)], "keys")
    assert problem.message == "the environment variable X holds no secret of Standard Webhooks,"
    assert (problem.path, problem.hint) == ("keys", "`whsec_` and 24 to 64 bytes in base64; copy it from the sender")
    assert not passes(verifier(value), delivery())
    assert not passes(verifier(value), verifier(value).sign(RawDelivery.build({}, BODY)))
    assert passes(verifier(value, SECRET), delivery())
