"""Verify and parse: what counts as a delivery of GitHub's, and what it says."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from duct_tape.api import (
    MalformedError,
    RawDelivery,
    Release,
    ReleasePublished,
    Secret,
    SignatureError,
    UnsupportedMediaError,
    moment,
)
from duct_tape_github import receive
from duct_tape_github.names import MAX_NAME
from duct_tape_github.sample import ping_payload, release_payload
from signing import github_signature

KEY = b"It's a Secret to Everybody"
SECRETS = (Secret("test", KEY),)
BODY = b"Hello, World!"
# GitHub's documentation has this very signature for this secret and body.
DOCUMENTED = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
FORM = "application/x-www-form-urlencoded"


def delivery(body: bytes, content_type: str | None = "application/json", *more: tuple[str, str]) -> RawDelivery:
    headers = [("X-GitHub-Event", "release"), ("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958")]
    if content_type is not None:
        headers.append(("Content-Type", content_type))
    return RawDelivery.build([*headers, *more], body)


def signed(*values: str) -> RawDelivery:
    return RawDelivery.build([("X-Hub-Signature-256", value) for value in values], BODY)


def release_body() -> bytes:
    return json.dumps(release_payload("acme/site")).encode()


def test_the_documented_signature_is_good() -> None:
    receive.verifier(SECRETS).verify(signed(DOCUMENTED))


@pytest.mark.parametrize(
    ("secret", "body", "signature"),
    [
        (KEY, b"", "66a0c074deaa0f489ead6537e0d32f9a344b90bbeda705b6ed45ecd3b413fb40"),
        (
            KEY,
            b"payload=%7B%22action%22%3A%22published%22%2C%22release%22%3A%7B%22tag_name%22%3A%22v1.0.0%22%7D%7D",
            "4e05980180f6d62026764a79f2e23748fcc17e9767a7a42782f0e7df208b41ed",
        ),
        (
            "pässwörd".encode(),
            b'{"action":"published","release":{"tag_name":"v1.0.0"}}',
            "70e9b5e437136b4c5f2b75b31d7dae01c9113cbef7bd6fba69d70622843bbe18",
        ),
    ],
    ids=["empty", "form", "secret outside ASCII"],
)
def test_more_known_signatures(secret: bytes, body: bytes, signature: str) -> None:
    sent = RawDelivery.build({"X-Hub-Signature-256": f"sha256={signature}"}, body)
    receive.verifier([Secret("test", secret)]).verify(sent)


@pytest.mark.parametrize("position", [0, 1, 2])
def test_every_secret_is_tried(position: int) -> None:
    secrets = [Secret("old", b"one"), Secret("older", b"two")]
    secrets.insert(position, *SECRETS)
    receive.verifier(secrets).verify(signed(DOCUMENTED))


SHA1 = hmac.new(KEY, BODY, hashlib.sha1).hexdigest()


@pytest.mark.parametrize(
    "values",
    [
        (),
        ("",),
        (DOCUMENTED, DOCUMENTED),
        (DOCUMENTED, "sha256=" + "0" * 64),
        (f"{DOCUMENTED}, {DOCUMENTED}",),
        (DOCUMENTED[:-1],),
        (DOCUMENTED[:20],),
        (DOCUMENTED + "0",),
        (f" {DOCUMENTED}",),
        (f"{DOCUMENTED}\n",),
        (DOCUMENTED.upper(),),
        ("sha256=" + DOCUMENTED[7:].upper(),),
        (DOCUMENTED[7:],),
        ("junk" + DOCUMENTED,),
        ("sha256=sha256=" + DOCUMENTED[7:],),
        ("sha512=" + DOCUMENTED[7:],),
        (f"sha1={SHA1}",),
        (f"sha256={SHA1}",),
        ("sha256=" + "é" * 64,),
        ("sha256=" + "\udc80" * 64,),
        ("sha256=" + "٣" * 64,),
        ("sha256=" + "0" * 64,),
    ],
)
def test_every_other_signature_is_refused_in_the_same_words(values: tuple[str, ...]) -> None:
    with pytest.raises(SignatureError, match=r"^the signature is missing or wrong$"):
        receive.verifier(SECRETS).verify(signed(*values))


@pytest.mark.parametrize("name", ["X-Hub-Signature", "X-Hub_Signature-256", "X-Hub-Signature-256 "])
def test_the_sha1_header_counts_for_nothing(name: str) -> None:
    for value in (f"sha1={SHA1}", f"sha256={SHA1}", DOCUMENTED):
        with pytest.raises(SignatureError):
            receive.verifier(SECRETS).verify(RawDelivery.build({name: value}, BODY))


def test_an_empty_secret_never_verifies() -> None:
    sent = RawDelivery.build({"X-Hub-Signature-256": github_signature(b"", BODY)}, BODY)
    for secrets in ([], [Secret("empty", b"")]):
        with pytest.raises(SignatureError):
            receive.verifier(secrets).verify(sent)


def test_a_release_is_parsed() -> None:
    payload = release_payload("acme/site", tag="v2", prerelease=True, release_id=7)
    event = receive.parse(delivery(json.dumps(payload).encode()))
    assert event == ReleasePublished(
        name="release",
        delivery="72d3162e-cc78-11e3-81ab-4c9367dc0958",
        action="published",
        repository="acme/site",
        release=Release(
            id="7",
            tag="v2",
            name="Release v2",
            prerelease=True,
            url="https://github.com/acme/site/releases/tag/v2",
            commit="main",
            published_at="2026-01-02T03:04:05Z",
            author="acme",
        ),
        payload=payload,
        key=f"release:{payload['repository']['id']}:7:v2",
        version="2026-01-02T03:04:05Z",
    )


def test_a_tag_has_a_reasonable_length() -> None:
    for length in (MAX_NAME, MAX_NAME + 1):
        body = json.dumps(release_payload("acme/site", tag="é" * length)).encode()
        if length <= MAX_NAME:
            assert receive.parse(delivery(body)).release
        else:
            with pytest.raises(MalformedError, match="longer than 1000 characters"):
                receive.parse(delivery(body))


@pytest.mark.parametrize("absent", [False, True])
def test_what_github_may_leave_open_may_be_null_or_absent(absent: bool) -> None:
    payload = release_payload("acme/site")
    for key in ("name", "html_url", "target_commitish", "published_at", "author"):
        payload["release"][key] = None
        if absent:
            del payload["release"][key]
    release = receive.parse(delivery(json.dumps(payload).encode())).release
    assert release is not None
    assert (release.name, release.url, release.commit, release.published_at, release.author) == (None,) * 5


def test_another_event_has_no_release() -> None:
    sent = receive.simulated("ping", json.dumps(ping_payload("acme/site")).encode())
    event = receive.parse(sent)
    assert (event.name, event.action, event.repository, event.release) == ("ping", "", "acme/site", None)


@pytest.mark.parametrize("payload", [{}, {"action": 5, "repository": []}, {"repository": {"full_name": {}}}])
def test_another_event_may_have_any_shape(payload: dict[str, Any]) -> None:
    event = receive.parse(receive.simulated("star", json.dumps(payload).encode()))
    assert (event.action, event.repository) == ("", "")


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON",
        " application/json ; charset=utf-8",
        'application/json;charset="UTF-8"',
        "application/json;",
    ],
)
def test_json(content_type: str) -> None:
    assert receive.parse(delivery(release_body(), content_type)).release


@pytest.mark.parametrize("encode", [quote, quote_plus])
def test_a_form_is_signed_as_it_came_and_then_decoded(encode: Any) -> None:
    text = json.dumps(release_payload("acme/site", tag="v1+ä&=;%"))
    body = f"payload={encode(text)}".encode()
    sent = delivery(body, FORM, ("X-Hub-Signature-256", github_signature(KEY, body)))
    receive.verifier(SECRETS).verify(sent)
    release = receive.parse(sent).release
    assert release is not None
    assert release.tag == "v1+ä&=;%"
    unpacked = delivery(body, FORM, ("X-Hub-Signature-256", github_signature(KEY, text.encode())))
    with pytest.raises(SignatureError):
        receive.verifier(SECRETS).verify(unpacked)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"payload",
        b"payload=",
        b"payload=%7B%7D&payload=%7B%7D",
        b"other=%7B%7D",
        b"payload=%ff",
        b"payload={\xff}",
        b"&".join([b"a=1"] * 17),
        b'{"action":"published"}',
    ],
)
def test_a_form_has_exactly_one_payload(body: bytes) -> None:
    with pytest.raises(MalformedError):
        receive.parse(delivery(body, FORM))


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "text/json",
        "application/json+x",
        "application/jsonp",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-7",
        "application/json; charset=utf-16",
        "application/json; charset=bogus",
        "application/json; charset=utf-8; charset=utf-7",
        "application/json; boundary=x",
        "application/json, text/plain",
        f"{FORM}; charset=latin-1",
        "application/\u212ason",
    ],
)
def test_no_other_content_type_or_charset_is_read(content_type: str | None) -> None:
    with pytest.raises(UnsupportedMediaError):
        receive.parse(delivery(release_body(), content_type))


def test_a_content_type_that_was_sent_twice_is_none() -> None:
    with pytest.raises(UnsupportedMediaError):
        receive.parse(delivery(release_body(), "application/json", ("Content-Type", "application/json")))


@pytest.mark.parametrize("name", [receive.EVENT, receive.DELIVERY])
@pytest.mark.parametrize("values", [(), ("",), ("a", "a"), ("a b",), ("a\n",), ("é",), ("x" * 101,), ("../x",), ("ı",)])
def test_event_and_delivery_are_named_as_github_names_them(name: str, values: tuple[str, ...]) -> None:
    headers = [pair for pair in delivery(b"{}").headers if pair[0] != name.lower()]
    with pytest.raises(MalformedError, match=f"the header {name} is missing"):
        receive.parse(RawDelivery.build([*headers, *((name, value) for value in values)], b"{}"))


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        ("2026-01-02T03:04:05.999Z", "2026-01-02T03:04:05Z"),
        ("2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05Z"),
        ("2026-01-01T00:00:00+14:00", "2025-12-31T10:00:00Z"),
        (None, None),
    ],
)
def test_times_come_in_one_form_that_sorts(text: str | None, time: str | None) -> None:
    assert moment({"at": text}, "at") == time


@pytest.mark.parametrize(
    "text", ["", "now", "2026-01-02", "2026-01-02T03:04:05", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]
)
def test_what_is_no_time_is_malformed(text: str) -> None:
    with pytest.raises(MalformedError, match="`at` is not a time"):
        moment({"at": text}, "at")
