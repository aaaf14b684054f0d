"""The filter ``filename``: any text as one safe path component, injectively."""

from __future__ import annotations

import os
import re
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from duct_tape.filename import filename
from duct_tape.templates import Template
from duct_tape.volume import MAX_NAME_BYTES, name_problem, safe_name

ANY_TEXT = st.text(st.characters(categories=None), max_size=300)
ALPHABET = re.compile(r"[A-Za-z0-9._@+,%=-]+")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("v1.2.3", "v1.2.3"),
        ("v1.2.3-rc.1+build_5,x@y", "v1.2.3-rc.1+build_5,x@y"),
        ("@acme/web@1.2.3", "@acme%2Fweb@1.2.3"),
        ("a/b", "a%2Fb"),
        ("a%2Fb", "a%252Fb"),
        ("-rf", "%2Drf"),
        ("..", "%2E."),
        (".results", "%2Eresults"),
        ("", "%"),
        ("%", "%25"),
        ("a b\n", "a%20b%0A"),
        ("$(id)`;|&", "%24%28id%29%60%3B%7C%26"),
        ("ü🚀", "%C3%BC%F0%9F%9A%80"),
        ("．．／", "%EF%BC%8E%EF%BC%8E%EF%BC%8F"),
        ("\ud800", "%ED%A0%80"),
        ("x" * 120, "x" * 120),
        ("x" * 121, f"{'x' * 48}={sha256(b'x' * 121).hexdigest()}"),
        ("ü" * 300, f"{'%C3%BC' * 8}={sha256('ü'.encode() * 300).hexdigest()}"),
    ],
)
def test_known_names(text: str, name: str) -> None:
    assert filename(text) == name


def test_it_is_the_filter() -> None:
    assert Template("{{ tag | filename }}").render({"tag": "a/b"}) == "a%2Fb"
    assert filename(1) == "1"


@given(ANY_TEXT)
@example("é" * 300)
@example(".")
@example("/" * 4096)
def test_the_name_is_one_safe_component(text: str) -> None:
    name = filename(text)
    assert name_problem(name) is None
    assert safe_name(name) == name
    assert len(name.encode("ascii")) <= MAX_NAME_BYTES
    assert ALPHABET.fullmatch(name)
    assert os.path.normpath(Path("/volume") / name) == f"/volume/{name}"


@given(ANY_TEXT, ANY_TEXT)
@example("%2E", ".")
@example("%", "")
@example("x" * 120, "x" * 121)
@example("x" * 121, "x" * 122)
def test_two_texts_never_give_one_name(one: str, other: str) -> None:
    assert (filename(one) == filename(other)) == (one == other)


@given(ANY_TEXT)
def test_a_name_tells_its_text(text: str) -> None:
    # The reason why two texts never give one name: a short one can be decoded, a long one holds a digest.
    data = text.encode("utf-8", "surrogatepass")
    name, _, digest = filename(text).partition("=")
    if digest:
        assert digest == sha256(data).hexdigest()
    else:
        assert unquote_to_bytes(name.removesuffix("%")) == data
