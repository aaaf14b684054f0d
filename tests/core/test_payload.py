"""Request bodies: any bytes give a value or a ``MalformedError``, within bounds."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from duct_tape import payload
from duct_tape.errors import MalformedError
from duct_tape.payload import (
    MAX_COMMAS,
    MAX_CONTAINERS,
    MAX_DEPTH,
    MAX_NUMBER_DIGITS,
    member,
    parse_form,
    parse_json,
)

MEMBERS = st.text(st.characters(exclude_characters="\0", codec="utf-8"))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64)
    | st.floats(allow_nan=False, allow_infinity=False)
    | MEMBERS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(MEMBERS, inner, max_size=4),
    max_leaves=12,
)
# Bytes near JSON, where a decoder goes wrong more often than in noise.
NEARLY = st.lists(
    st.sampled_from([b"{", b"}", b"[", b"]", b'"', b"\\", b",", b":", b'"a"', b"1", b"-", b"1e999", b"NaN", b"\\ud800"])
    | st.binary(max_size=3)
).map(b"".join)


@given(st.dictionaries(MEMBERS, VALUES, max_size=4), st.booleans())
def test_what_any_encoder_writes_is_read(value: dict[str, Any], ascii_only: bool) -> None:
    assert parse_json(json.dumps(value, ensure_ascii=ascii_only).encode("utf-8")) == value


@given(st.binary() | NEARLY | NEARLY.map(lambda inner: b'{"a":' + inner + b"}"))
@example(b'{"a":"\xed\xa0\x80"}')
@example(b'{"a":' * 100_000)
def test_any_bytes_give_an_object_or_the_one_error(body: bytes) -> None:
    try:
        value = parse_json(body)
    except MalformedError:
        return
    assert isinstance(value, dict)
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON in UTF-8"),
        (b"\xef\xbb\xbf{}", "not JSON in UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "not JSON in UTF-8"),
        (b'{"a": "\xff"}', "not JSON in UTF-8"),
        (b"{} {}", "not JSON in UTF-8"),
        (b"{'a': 1}", "not JSON in UTF-8"),
        (b'{"a": 1,}', "not JSON in UTF-8"),
        (b"[]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b'"text"', "not a JSON object"),
        (b'{"a": 1, "a": 2}', "holds a key twice"),
        (b'{"b": {"a": 1, "\\u0061": 2}}', "holds a key twice"),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b'{"a": -Infinity}', "-Infinity is not JSON"),
        (b'{"a": "\\ud800"}', "NUL or half a character"),
        (b'{"a": ["\\u0000"]}', "NUL or half a character"),
        (b'{"a": {"\\udfff": 1}}', "NUL or half a character"),
        (b'{"a": %s}' % (b"1" * (MAX_NUMBER_DIGITS + 1)), "a number that is too long"),
        (b'{"a": 0.%s}' % (b"1" * 100), "a number that is too long"),
        (b'{"a": 1e999}', "a number that is too long"),
        (b'{"a": -1e999}', "a number that is too long"),
    ],
)
def test_what_python_would_take_and_we_do_not(body: bytes, reason: str) -> None:
    with pytest.raises(MalformedError, match=reason):
        parse_json(body)


def test_numbers_up_to_the_bound_are_exact() -> None:
    digits = "9" * MAX_NUMBER_DIGITS
    assert parse_json(f'{{"a": {digits}, "b": -0.5}}'.encode()) == {"a": int(digits), "b": -0.5}


def test_depth_is_bounded_and_brackets_in_texts_do_not_count() -> None:
    deepest = b'{"a":' + b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1) + b"}"
    assert "a" in parse_json(deepest)
    with pytest.raises(MalformedError, match=f"deeper than {MAX_DEPTH} levels"):
        parse_json(deepest.replace(b"[]", b"[[]]"))
    quoted = "[" * 1000 + '\\"[{' + "\\"
    assert parse_json(json.dumps({"a": quoted, "b": []}).encode()) == {"a": quoted, "b": []}


@pytest.mark.parametrize(
    ("inside", "reason"),
    [
        (b",".join([b"1"] * (MAX_COMMAS + 2)), f"has more than {MAX_COMMAS} members"),
        (b",".join([b"[[]]"] * 10_000), "has more than 20000 objects and lists"),
    ],
)
def test_what_would_take_many_times_its_size_is_not_decoded(
    inside: bytes, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As many as there may really be take seconds when each piece of memory is counted.
    assert MAX_CONTAINERS == 25 * 20_000
    monkeypatch.setattr(payload, "MAX_CONTAINERS", 20_000)
    tracemalloc.start()
    try:
        with pytest.raises(MalformedError, match=reason):
            parse_json(b'{"a":[' + inside + b"]}")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * len(inside)


def test_brackets_next_to_each_other_are_not_depth() -> None:
    assert parse_json(b'{"a":[' + b"[],{}," * 500 + b"[]]}")


@pytest.mark.parametrize("text", ["a" * 2**20, "\\n" * 2**19])
def test_a_long_text_costs_little_more_memory_than_itself(text: str) -> None:
    body = f'{{"a": "{text}"}}'.encode()
    tracemalloc.start()
    try:
        parse_json(body)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 12 * len(body)


@given(MEMBERS, MEMBERS)
def test_the_field_of_a_form_is_read_back(value: str, other: str) -> None:
    body = urlencode({"payload": value, "x": other}).encode("ascii")
    assert parse_form(body, "payload") == value.encode("utf-8")


@given(st.binary() | st.text("payload=%&+;0123456789ABCDEFé").map(str.encode))
def test_any_bytes_give_a_field_or_the_one_error(body: bytes) -> None:
    try:
        value = parse_form(body, "payload")
    except MalformedError:
        return
    assert value.decode("utf-8") is not None


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "has the field `payload` 0 times instead of once"),
        (b"other=1", "0 times"),
        (b"payload=1&payload=1", "2 times"),
        (b"payload", "not a form"),
        (b"payload=1&", "not a form"),
        (b"payload=%ff", "not a form"),
        ("payload=ü".encode(), "not a form"),
        (b"&".join(b"a=1" for _ in range(17)), "not a form"),
    ],
)
def test_what_is_no_form_with_that_field(body: bytes, reason: str) -> None:
    with pytest.raises(MalformedError, match=reason):
        parse_form(body, "payload")


def test_a_blank_field_is_there() -> None:
    assert parse_form(b"payload=", "payload") == b""


DATA: dict[str, Any] = {"a": {"b": {"c": True}, "n": None}, "i": 1, "f": 1.5, "t": "false", "l": [1]}


@pytest.mark.parametrize(
    ("path", "kind", "value"),
    [
        ("a.b.c", bool, True),
        ("i", int, 1),
        ("f", float, 1.5),
        ("t", str, "false"),
        ("l", list, [1]),
        ("a.n", str, None),
    ],
)
def test_a_member_of_exactly_that_type(path: str, kind: type, value: Any) -> None:
    assert member(DATA, path, kind, null=value is None) == value


@pytest.mark.parametrize(
    ("path", "kind", "words"),
    [
        ("a.b.c", int, "a whole number"),
        ("i", bool, "true or false"),
        ("i", float, "a number with a fraction"),
        ("f", int, "a whole number"),
        ("t", bool, "true or false"),
        ("l", dict, "an object"),
        ("i", list, "a list"),
        ("i", str, "text"),
        ("i", bytes, "bytes"),
        ("x", str, "text"),
        ("x.y.z", str, "text"),
        ("a.n", str, "text"),
        ("t.x", str, "text"),
        ("l.0", int, "a whole number"),
        ("", str, "text"),
    ],
)
def test_nothing_is_coerced(path: str, kind: type, words: str) -> None:
    with pytest.raises(MalformedError, match=f"^`{path}` is missing or is not {words}$"):
        member(DATA, path, kind)


def test_only_null_and_absence_are_null() -> None:
    assert member(DATA, "a.n", str, null=True) is None
    assert member(DATA, "a.n.x", str, null=True) is None
    assert member(DATA, "x.y", str, null=True) is None
    with pytest.raises(MalformedError, match=r"`t\.x` is missing or is not text"):
        member(DATA, "t.x", str, null=True)


@given(st.dictionaries(MEMBERS, VALUES, max_size=4), MEMBERS, st.sampled_from([str, int, bool, dict]), st.booleans())
def test_a_member_is_total(data: dict[str, Any], path: str, kind: type, null: bool) -> None:
    try:
        value = member(data, path, kind, null=null)
    except MalformedError:
        return
    assert type(value) is kind or (null and value is None)
