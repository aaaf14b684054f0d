"""What most deliveries hold: JSON in one wrapping or another, headers, ids, times."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duct_tape.bodies import header, identity, json_bytes, moment
from duct_tape.delivery import RawDelivery
from duct_tape.errors import MalformedError, UnsupportedMediaError

BODY = b'{"a": "\xc3\xbc"}'
FORM = "application/x-www-form-urlencoded"


def delivery(media: str | None, body: bytes = BODY) -> RawDelivery:
    return RawDelivery.build({} if media is None else {"Content-Type": media}, body)


@pytest.mark.parametrize(
    "media",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        " application/json ; charset=utf-8 ",
        "application/json;",
        "application/vnd.x+json",
        "application/vnd.github.v3+json; charset=utf-8",
        "application/cloudevents+json",
    ],
)
def test_json_is_the_body_as_it_is(media: str) -> None:
    assert json_bytes(delivery(media)) == BODY
    assert json_bytes(delivery(media), form="payload") == BODY


@pytest.mark.parametrize(
    ("media", "reason"),
    [
        (None, "set the webhook's content type to application/json"),
        ("", "set the webhook's content type to application/json"),
        ("text/plain", "set the webhook's content type to application/json"),
        ("text/json", "set the webhook's content type to application/json"),
        ("application/jsonp", "set the webhook's content type to application/json"),
        ("application/json-seq", "set the webhook's content type to application/json"),
        ("application/+json", "set the webhook's content type to application/json"),
        ("application/a/b+json", "set the webhook's content type to application/json"),
        (f"application/{'x' * 61}+json", "set the webhook's content type to application/json"),
        ("application/xml", "set the webhook's content type to application/json"),
        ("application/json, text/plain", "set the webhook's content type to application/json"),
        (FORM, "set the webhook's content type to application/json"),
        ("multipart/form-data; boundary=x", "only UTF-8 is read"),
        ("application/json; charset=latin-1", "only UTF-8 is read"),
        ("application/json; charset=utf-16", "only UTF-8 is read"),
        ("application/json; charset=utf-7; charset=utf-8", "only UTF-8 is read"),
        ("application/json; \ud800", "only UTF-8 is read"),
    ],
)
def test_another_content_type_is_not_read(media: str | None, reason: str) -> None:
    with pytest.raises(UnsupportedMediaError) as caught:
        json_bytes(delivery(media))
    assert str(caught.value) == reason


def test_a_content_type_that_is_there_twice_is_not_read() -> None:
    with pytest.raises(UnsupportedMediaError):
        json_bytes(delivery("application/json").with_header("content-type", "application/json"))


@pytest.mark.parametrize("media", [FORM, f"{FORM.upper()}; charset=UTF-8"])
def test_a_form_holds_the_json_in_its_field(media: str) -> None:
    body = f"token=x&payload={quote(BODY)}".encode()
    assert json_bytes(delivery(media, body), form="payload") == BODY
    for wrong in (b"", b"other=1", b"payload=1&payload=2", b"payload", b"\xff", b"payload=%FF"):
        with pytest.raises(MalformedError):
            json_bytes(delivery(media, wrong), form="payload")


@given(st.text(st.characters(categories=None)), st.binary(), st.sampled_from([None, "payload"]))
def test_any_content_type_gives_an_answer(media: str, body: bytes, form: str | None) -> None:
    with pytest.raises((UnsupportedMediaError, MalformedError)):
        json_bytes(delivery(media, body), form=form)


@pytest.mark.parametrize("value", ["release", "Push-Hook", "!~", "x" * 200])
def test_a_header_that_is_always_there(value: str) -> None:
    assert header(RawDelivery.build({"X-Event": value}, b""), "x-event") == value


@pytest.mark.parametrize(
    "values", [[], [""], ["a", "a"], ["a b"], ["a\n"], ["é"], ["\x7f"], ["\ud800"], ["x" * 201], [" a"]]
)
def test_a_header_that_no_sender_sends_so_is_malformed(values: list[str]) -> None:
    given = RawDelivery.build([("X-Event", value) for value in values], b"")
    with pytest.raises(MalformedError) as caught:
        header(given, "X-Event")
    assert str(caught.value) == "the header X-Event is missing or not as the sender sends it"


def test_a_header_may_have_a_form_of_its_own() -> None:
    given = RawDelivery.build({"X-Event": "Tag Push Hook"}, b"")
    assert header(given, "X-Event", r"[A-Za-z ]+ Hook") == "Tag Push Hook"
    with pytest.raises(MalformedError):
        header(given, "X-Event", "Tag Push")


def test_the_identity_is_the_first_header_that_is_there() -> None:
    digest = hashlib.sha256(BODY).hexdigest()
    names = ("X-Request", "Idempotency-Key")
    both = RawDelivery.build({"idempotency-key": "k", "x-request": "r"}, BODY)
    assert identity(both, *names) == "r"
    assert identity(RawDelivery.build({"Idempotency-Key": "k"}, BODY), *names) == "k"
    assert identity(RawDelivery.build({"X-Request": "a b", "Idempotency-Key": "k"}, BODY), *names) == "k"
    assert identity(both.with_header("X-Request", "r"), *names) == "k"
    assert identity(both, "X-Other") == identity(both) == digest
    for odd in ("", "a b", "é", "\ud800", "x" * 201):
        assert identity(RawDelivery.build({"X-Request": odd}, BODY), "X-Request") == digest
    assert identity(RawDelivery.build({}, b"other")) != digest


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2020-11-02T12:55:12Z", "2020-11-02T12:55:12Z"),
        ("2020-11-02 12:55:12 UTC", "2020-11-02T12:55:12Z"),
        ("2020-11-02 12:55:12 +0100", "2020-11-02T11:55:12Z"),
        ("2020-11-02T12:55:12+05:30", "2020-11-02T07:25:12Z"),
        ("2020-11-02T12:55:12-00:00", "2020-11-02T12:55:12Z"),
        ("2020-11-02T12:55:12.999999999Z", "2020-11-02T12:55:12Z"),
        ("2020-12-31T23:30:00-01:00", "2021-01-01T00:30:00Z"),
        ("0999-01-01T00:00:00Z", "0999-01-01T00:00:00Z"),
        ("20201102T125512Z", "2020-11-02T12:55:12Z"),
    ],
)
def test_a_time_has_one_form(text: str, expected: str) -> None:
    assert moment({"a": {"b": text}}, "a.b") == expected


@pytest.mark.parametrize(
    "value",
    [
        "", " UTC", "UTC", "Z", "today",
        "2020-11-02", "2020-11-02 UTC", "2020-11-02Z UTC", "2020-11-02Z", "2020-11-02+01:00",
        "2020-11-02T12:55:12", "2020-11-02T12:55:12ZZ", "2020-11-02T12:55:12Z UTC",
        "2020-11-02 12:55:12 UTC UTC", "2020-11-02 12:55:12 utc", "2020-11-02 12:55:12+01:00 UTC",
        "2020-11-02 12:55:12 CET", "2020-11-02T12:55:60Z", "2020-02-30T12:00:00Z", "2020-11-02T12:55:12+24:00",
        # No years before the first and after the last.
        "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "10000-01-01T00:00:00Z",
        "２０２０-11-02T12:55:12Z", "2020-11-02T12:55:1٢Z", "\ud800",
        1604321712, 1604321712.5, True, ["2020-11-02T12:55:12Z"], {},
    ],
)  # fmt: skip
def test_what_is_no_time_is_malformed(value: object) -> None:
    with pytest.raises(MalformedError):
        moment({"at": value}, "at")


def test_no_time_is_none() -> None:
    assert moment({"at": None}, "at") is None
    assert moment({}, "at") is None
    assert moment({}, "release.at") is None
    with pytest.raises(MalformedError):
        moment({"release": "v1"}, "release.at")


@given(st.text(st.characters(categories=None) | st.sampled_from("0123456789-:TZ+ UC.")))
def test_any_text_is_a_time_or_malformed(text: str) -> None:
    try:
        found = moment({"at": text}, "at")
    except MalformedError:
        return
    assert found is not None
    assert moment({"at": found}, "at") == found


@given(st.lists(st.datetimes(timezones=st.timezones(), min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1))))
def test_times_sort_by_age(times: list[datetime]) -> None:
    known = [(time.astimezone(UTC).replace(microsecond=0), moment({"at": time.isoformat()}, "at")) for time in times]
    assert sorted(known, key=lambda pair: pair[0]) == sorted(known, key=lambda pair: str(pair[1]))
