"""Filters: every mistake is told with its place, and the limits hold."""

from __future__ import annotations

import pytest

from duct_tape.errors import FilterError
from duct_tape.filters import Filter

NAME = "a name such as `payload.ref` or a value belongs here"
KEY = 'a key such as ["a key"] or a place such as [0] belongs here'
PATTERN = '`matches` needs a pattern such as "v*", or a list of patterns'
MEMBERS = "a list holds texts, numbers, true and false only"


def fault(source: str) -> str:
    with pytest.raises(FilterError) as caught:
        Filter(source)
    return str(caught.value)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", f"the filter ends too early: {NAME}"),
        (" \n ", f"the filter ends too early: {NAME}"),
        ("not", f"the filter ends too early: {NAME}"),
        ("a and", f"the filter ends too early: {NAME}"),
        ("a ==", f"the filter ends too early: {NAME}"),
        ("a in", f"the filter ends too early: {NAME}"),
        ("exists", f"the filter ends too early: {NAME}"),
        ("a.", "the filter ends too early: a name belongs here"),
        ("a not", "the filter ends too early: `in` belongs here"),
        ("(a", "the filter ends too early: `)` belongs here"),
        ("a[", f"the filter ends too early: {KEY}"),
        ("a[0", "the filter ends too early: `]` belongs here"),
        ("a in [1", "the filter ends too early: `,` belongs here"),
        ("a in [1,", f"the filter ends too early: {NAME}"),
        ("a matches", f"the filter ends too early: {NAME}"),
        ("a b", "at column 3, `b`: the filter could end here"),
        ("a)", "at column 2, `)`: the filter could end here"),
        ("a == b == c", "at column 8, `==`: the filter could end here"),
        ("(a) == b", "at column 5, `==`: the filter could end here"),
        ('a "=="', 'at column 3, `"=="`: the filter could end here'),
        ("a -1", "at column 3, `-1`: the filter could end here"),
        ("and a", f"at column 1, `and`: {NAME}"),
        ("in == 1", f"at column 1, `in`: {NAME}"),
        ("a == or", f"at column 6, `or`: {NAME}"),
        ("exists 'a'", f"at column 8, `'a'`: {NAME}"),
        ("exists true", f"at column 8, `true`: {NAME}"),
        (", a", f"at column 1, `,`: {NAME}"),
        ("()", f"at column 2, `)`: {NAME}"),
        ("a not b", "at column 7, `b`: `in` belongs here"),
        ("a not matches 'b'", "at column 7, `matches`: `in` belongs here"),
        ("a not 'in' b", "at column 7, `'in'`: `in` belongs here"),
        ("(a b", "at column 4, `b`: `)` belongs here"),
        ("a.1", "at column 3, `1`: a name belongs here"),
        ("a.'b'", "at column 3, `'b'`: a name belongs here"),
        ("a[b]", f"at column 3, `b`: {KEY}"),
        ("a[-1]", f"at column 3, `-1`: {KEY}"),
        ("a[1.0]", f"at column 3, `1.0`: {KEY}"),
        ("a[0 1]", "at column 5, `1`: `]` belongs here"),
        ("a in [1 2]", "at column 9, `2`: `,` belongs here"),
        ("a in [1,]", f"at column 9, `]`: {NAME}"),
        ("a in [b]", f"at column 7, `b`: {MEMBERS}"),
        ("a in [[1]]", f"at column 7, `[`: {MEMBERS}"),
        ("a in [1, []]", f"at column 10, `[`: {MEMBERS}"),
        ("a matches b", f"at column 11, `b`: {PATTERN}"),
        ("a matches 1", f"at column 11, `1`: {PATTERN}"),
        ("a matches true", f"at column 11, `true`: {PATTERN}"),
        ("a matches ['b', 1]", f"at column 18, `]`: {PATTERN}"),
        ("a ! b", "at column 3: `!` has no meaning in a filter"),
        ("a = b", "at column 3: `=` has no meaning in a filter"),
        ("a && b", "at column 3: `&` has no meaning in a filter"),
        ("a == 'b", "at column 6: `'` has no meaning in a filter"),
        ('a == "\\n"', 'at column 6: `"` has no meaning in a filter'),
        ("a == 1x", "at column 6: `1` has no meaning in a filter"),
        ("a == 1.", "at column 6: `1` has no meaning in a filter"),
        ("a == .5 ", "at column 6, `.`: " + NAME),
        ("a == 1e3", "at column 6: `1` has no meaning in a filter"),
        ("a == 1_000", "at column 6: `1` has no meaning in a filter"),
        ("a == 1234567890123456789", "at column 6: `1` has no meaning in a filter"),
        # Digits and letters of other scripts are none.
        ("a == ٣", "at column 6: `٣` has no meaning in a filter"),
        ("a[²]", "at column 3: `²` has no meaning in a filter"),
        ("ünwanted", "at column 1: `ü` has no meaning in a filter"),
        ("a == \ud800", "at column 6: `\ud800` has no meaning in a filter"),
        ("a\x00", "at column 2: `\x00` has no meaning in a filter"),
        ("b" * 50 + " c d", "at column 52, `c`: the filter could end here"),
        ("a " + "b" * 50, f"at column 3, `{'b' * 40}`: the filter could end here"),
    ],
)
def test_a_mistake_is_told_with_its_place(source: str, message: str) -> None:
    assert fault(source) == message


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("a" * 4097, "the filter is longer than 4096 characters"),
        ("(" * 32 + "a" + ")" * 32, "the filter is nested too deep"),
        ("not " * 32 + "a", "the filter is nested too deep"),
        ("not (" * 16 + "a" + ")" * 16, "the filter is nested too deep"),
        ("(" * 4000, "the filter is nested too deep"),
        ("[" * 4000, f"at column 2, `[`: {MEMBERS}"),
        (f"a matches '{'b' * 1001}'", f"at column 11, `'{'b' * 39}`: a pattern is longer than 1000 characters"),
        (f"a matches ['c', '{'b' * 1001}']", "at column 1020, `]`: a pattern is longer than 1000 characters"),
    ],
)
def test_the_limits(source: str, message: str) -> None:
    assert fault(source) == message


@pytest.mark.parametrize(
    "source",
    [
        "a" * 4096,
        "(" * 31 + "a" + ")" * 31,
        "not " * 31 + "a",
        " or ".join(["(not a)"] * 300),
        f"a matches '{'b' * 1000}'",
        "a" + ".b" * 2000,
        "a == 123456789012345678 or a == 0.123456789012345678",
        "\ta\n==\r\n'é\n'\u2003",
        "a.in.matches.exists.true",
        "a-b_c.d-1 == 1",
    ],
)
def test_what_is_within_the_limits_is_a_filter(source: str) -> None:
    assert Filter(source).source == source
