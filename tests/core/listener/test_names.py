from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duct_tape.listener.names import aside_name, is_claim_id, is_run_id, made_claim_id, made_run_id, printable

anything = st.one_of(st.text(), st.binary(max_size=300).map(os.fsdecode))


@pytest.mark.parametrize("text", ["", ".", "..", "-rf", ".tmp", "a/b", "a\n", "a b", "ä", "a" * 121, "a\0"])
def test_these_are_no_run_ids(text: str) -> None:
    assert not is_run_id(text)


@pytest.mark.parametrize("text", ["1", "01JD", "run-v1.0", "a" * 120, "72d3162e-cc78-11e3-81ab-4c9367dc0958"])
def test_these_are_run_ids(text: str) -> None:
    assert is_run_id(text)


@given(anything)
def test_a_run_id_is_one_safe_path_component(text: str) -> None:
    if is_run_id(text):
        assert os.path.basename(text) == text
        assert text.isascii()
        assert text[0] not in ".-"
        assert len(f".tmp-{text}.json") < 200


def test_made_ids_are_what_they_are_to_be() -> None:
    first, second = made_claim_id(), made_claim_id()

    assert is_claim_id(first)
    assert first[:20] <= second[:20]
    assert is_run_id(made_run_id(first))
    assert not is_claim_id("../" + first)


def test_a_claim_is_newer_than_the_newest_whatever_the_clock_says() -> None:
    future = "09000000000000000000-ffffffff"

    assert is_claim_id(made_claim_id(future))
    assert made_claim_id(future)[:20] == "09000000000000000001"
    assert made_claim_id("00000000000000000001-ffffffff") > "01"


@given(anything)
def test_the_name_of_what_is_set_aside_is_always_harmless(name: str) -> None:
    new = aside_name(name)

    assert is_run_id(new)


@given(anything)
def test_a_printable_text_cannot_move_the_cursor_and_stays_readable(text: str) -> None:
    shown = printable(text)

    assert shown.isprintable()
    assert shown == text or not text.isprintable()


def test_what_is_escaped() -> None:
    assert printable("a\n\x1b[31m\u202e\udcffß") == "a\\n\\x1b[31m\\u202e\\udcffß"
