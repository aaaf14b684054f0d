"""Filters: what each operator says of each type, and in which words it says nothing."""

from __future__ import annotations

from typing import Any

import pytest

from duct_tape.filters import Filter

VALUES: dict[str, Any] = {
    "payload": {
        "text": "v1.2.3",
        "empty": "",
        "number": 3,
        "part": 1.5,
        "yes": True,
        "no": False,
        "null": None,
        "list": ["deploy", "docs"],
        "numbers": [1, 2.5],
        "mixed": ["deploy", 7],
        "objects": [{"name": "deploy"}],
        "nothing": [],
        "object": {"a key": "x", "keys": "y", "__class__": "z", "0": "zero"},
        "long": "v" + "x" * 1000,
        "lines": "v1\nv2",
    }
}


def refusal(source: str) -> str:
    return Filter(source).refusal(VALUES)


@pytest.mark.parametrize(
    "source",
    [
        "payload.yes",
        "true",
        "payload.text == 'v1.2.3'",
        'payload.text != "v1"',
        "payload.number == 3",
        "payload.number == 3.0",
        "payload.number != -3",
        "payload.yes == true",
        "payload.yes != payload.no",
        "payload.number < 3.5",
        "payload.number <= 3",
        "payload.number > payload.part",
        "payload.number >= 3",
        "2 > 1.99",
        "-1 < 0",
        "payload.text in ['v1', 'v1.2.3']",
        "payload.text in ['v1.2.3', 1]",
        "payload.text not in ['v1', 'v2']",
        "payload.number in [1, 3]",
        "payload.yes in [true]",
        "'docs' in payload.list",
        "payload.text not in payload.list",
        "payload.text not in []",
        "payload.list contains 'deploy'",
        "payload.mixed contains 7",
        "payload.numbers contains 2.5",
        "not payload.list contains 'no-deploy'",
        "not payload.nothing contains 'deploy'",
        "payload.text matches 'v*'",
        "payload.text matches 'v?.[0-9].[!4]'",
        "payload.text matches ['w*', 'v*']",
        "payload.empty matches '*'",
        "not payload.text matches 'V*'",
        "not payload.text matches 'v1'",
        "not payload.text matches '1.2.3'",
        "not payload.lines matches 'v1'",
        "not payload.text matches []",
        "exists payload.text",
        "exists payload.no",
        "exists payload.nothing",
        "not exists payload.null",
        "not exists payload.missing.more",
        "not exists payload.text.upper",
        "not exists payload.list[2]",
        "not exists payload.object[0]",
        'not exists payload.list["0"]',
        "not exists absent",
        "payload.list[1] == 'docs'",
        "payload.list[01] == 'docs'",
        "payload.objects[0].name == 'deploy'",
        'payload.object["a key"] == "x"',
        "payload.object['0'] == 'zero'",
        # A key, and never an attribute of Python's.
        "payload.object.keys == 'y'",
        "payload.object.__class__ == 'z'",
        "not exists payload.__class__",
        "not exists payload.text.__class__",
        "not exists payload.list.__len__",
        "not exists __class__",
        "payload.object.keys=='y'and(payload.yes)",
    ],
)
def test_it_holds(source: str) -> None:
    assert refusal(source) == ""


@pytest.mark.parametrize(
    "source",
    [
        "payload.no",
        "false",
        "payload.text == 'V1.2.3'",
        "payload.text != 'v1.2.3'",
        "payload.number < 3",
        "payload.number > 3",
        "payload.text in ['v1']",
        "payload.text in []",
        "payload.text not in ['v1.2.3']",
        "payload.nothing contains 'deploy'",
        "payload.text matches 'v1'",
        "payload.text matches ['w*', 'x*']",
        "exists payload.null",
        "not exists payload.text",
    ],
)
def test_it_does_not_hold(source: str) -> None:
    assert refusal(source) == f"`{source}` does not hold"


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("payload.text", "`payload.text` is text, not true or false"),
        ("payload.number", "`payload.number` is a number, not true or false"),
        ("payload.part", "`payload.part` is a number, not true or false"),
        ("payload.list", "`payload.list` is a list, not true or false"),
        ("payload", "`payload` is an object, not true or false"),
        ("'true'", "`'true'` is text, not true or false"),
        ("[true]", "`the list` is a list, not true or false"),
        ("payload.missing", "there is no value for `payload.missing`"),
        ("payload.null", "there is no value for `payload.null`"),
        ("payload.missing == payload.null", "there is no value for `payload.missing`"),
        ("payload.text == payload.null", "there is no value for `payload.null`"),
        ('payload.list[2]["a key"] == 1', "there is no value for `payload.list[2].a key`"),
        ("payload.text.upper == 1", "there is no value for `payload.text.upper`"),
        ("payload.number == '3'", "`payload.number == '3'` compares a number with text"),
        ("payload.number != '3'", "`payload.number != '3'` compares a number with text"),
        ("1 == true", "`1 == true` compares a number with true or false"),
        ("payload.no != 0", "`payload.no != 0` compares true or false with a number"),
        ("payload.list == payload.list", "`payload.list == payload.list` compares a list with a list"),
        ("payload != payload", "`payload != payload` compares an object with an object"),
        ("payload.text < 'w'", "`payload.text < 'w'` compares text with text"),
        ("payload.yes > 0", "`payload.yes > 0` compares true or false with a number"),
        ("payload.number matches '3'", "`payload.number matches '3'` compares a number with a pattern"),
        ("payload.list matches 'd*'", "`payload.list matches 'd*'` compares a list with a pattern"),
        ("payload.long matches 'v*'", "`payload.long` is longer than 1000 characters"),
        ("payload.text in payload.object", "`payload.object` is an object, not a list"),
        ("'v1' in payload.text", "`payload.text` is text, not a list"),
        ("payload.text contains 'v1'", "`payload.text` is text, not a list"),
        ("payload.number in ['3']", "`payload.number in the list` compares with members of another type"),
        ("payload.text in ['v1', 1]", "`payload.text in the list` compares with members of another type"),
        ("payload.list in [1]", "`payload.list in the list` compares with members of another type"),
        (
            "payload.objects contains 'deploy'",
            "`payload.objects contains 'deploy'` compares with members of another type",
        ),
        (
            "payload.mixed contains 'docs'",
            "`payload.mixed contains 'docs'` compares with members of another type",
        ),
    ],
)
@pytest.mark.parametrize("negation", ["", "not ", "not not "])
def test_what_cannot_be_told_holds_in_no_negation_either(source: str, why: str, negation: str) -> None:
    assert refusal(negation + source) == f"`{negation}{source}` cannot be told: {why}"


@pytest.mark.parametrize("source", ["payload.number not in ['3']", "payload.text not in ['v1', 1]"])
def test_to_be_in_no_list_of_another_type_cannot_be_told(source: str) -> None:
    assert "cannot be told" in refusal(source)


def test_a_text_at_the_limit_is_looked_at() -> None:
    assert Filter("text matches 'x*'").refusal({"text": "x" * 1000}) == ""
    assert Filter("not text matches '*skip*'").refusal({"text": "x" * 1001}).endswith("longer than 1000 characters")


def test_a_long_filter_is_shown_shortened() -> None:
    source = "false" + " or false" * 20
    assert refusal(source) == f"`{source[:97]}...` does not hold"


def test_filters_are_equal_by_their_text() -> None:
    assert Filter("payload.ok") == Filter("payload.ok")
    assert Filter("payload.ok") != Filter("payload.no")
    assert repr(Filter("payload.ok")) == "Filter(source='payload.ok')"


def test_values_that_no_json_has_are_looked_at_without_an_error() -> None:
    odd: dict[Any, Any] = {1: "x", None: "y", ("a",): "z", "at": object(), "": "empty", "set": {1}}
    for source in ("exists odd.a", "odd.at == 1", "odd.at in [1]", "odd['1'] == 'x'", "odd.set contains 1", "odd.at"):
        assert Filter(source).refusal({"odd": odd})
    assert Filter("odd[''] == 'empty'").refusal({"odd": odd}) == ""
