"""Strict structuring: nothing is coerced, and no value is ever shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import pytest
from attrs import field, frozen
from hypothesis import given
from hypothesis import strategies as st

from duct_tape.conf.options import Address, ApplicationName, Seconds, Size, TriggerName, option
from duct_tape.conf.sources import Sources
from duct_tape.conf.structure import Reader, described, suggestion
from duct_tape.secret import Secret
from duct_tape.templates import Template

Write = Callable[..., Path]

SECRET = "hunter2-0123456789abcdef0123456789abcdef"


@frozen(kw_only=True)
class Inner:
    """A table in a table."""

    number: int = option("A number.")


@frozen(kw_only=True)
class Everything:
    """One key of each type."""

    text: str | None = None
    number: int | None = None
    fraction: float | None = None
    switch: bool | None = None
    path: Path | None = None
    level: Literal["low", "high"] | None = None
    seconds: Seconds | None = None
    size: Size | None = None
    items: tuple[str, ...] | None = None
    table: Mapping[str, Any] | None = None
    tables: Mapping[str, Inner] | None = None
    secret: Secret | None = None
    secrets: tuple[Secret, ...] | None = None
    template: Template | None = None
    trigger: TriggerName | None = None
    application: ApplicationName | None = None
    address: Address | None = None
    anything: Any = None
    made: str = field(init=False, default="here")


def read(table: Any, cls: type = Everything, triggers: tuple[str, ...] = ("deploy",)) -> tuple[Any, list[str]]:
    result, problems = Reader(Sources(Path("x.toml")), triggers).read(cls, table, ("t",))
    return result, [str(problem) for problem in problems]


@pytest.mark.parametrize(
    ("key", "given_", "value"),
    [
        ("text", "", ""),
        ("number", -3, -3),
        ("fraction", 1.5, 1.5),
        ("fraction", 2, 2.0),
        ("switch", False, False),
        ("path", "a/b", Path("a/b")),
        ("level", "high", "high"),
        ("seconds", 1, 1.0),
        ("seconds", 0.1, 0.1),
        ("size", 1, 1),
        ("items", ["a", "b"], ("a", "b")),
        ("items", [], ()),
        ("table", {"a": [1, {"b": "c"}]}, {"a": [1, {"b": "c"}]}),
        ("tables", {"x": {"number": 1}}, {"x": Inner(number=1)}),
        ("secret", {"env": "HOOK_SECRET"}, Secret("environment variable HOOK_SECRET", SECRET.encode())),
        ("template", "{{ a }}", Template("{{ a }}")),
        ("trigger", "deploy", "deploy"),
        ("application", "site.example.com", "site.example.com"),
        ("address", "[::1]:9000", "[::1]:9000"),
        ("anything", [{}, 1], [{}, 1]),
    ],
)
def test_a_value_of_the_right_type(key: str, given_: Any, value: Any) -> None:
    result, problems = read({key: given_})
    assert problems == []
    found = getattr(result, key)
    assert found == value
    assert type(found) is type(value)


WRONG: list[Any] = [
    "x y/",
    "1",
    "true",
    "",
    1,
    0,
    -1,
    1.5,
    float("nan"),
    float("inf"),
    True,
    [],
    [1],
    {},
    {"a": 1},
    None,
]
RIGHT: dict[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "number": lambda value: type(value) is int,
    "fraction": lambda value: type(value) in (int, float),
    "switch": lambda value: isinstance(value, bool),
    "path": lambda value: isinstance(value, str),
    "level": lambda value: value in ("low", "high"),
    "seconds": lambda value: type(value) in (int, float) and 0 < value < float("inf"),
    "size": lambda value: type(value) is int and value > 0,
    "items": lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value),
    "table": lambda value: isinstance(value, dict),
    "tables": lambda value: value == {},
    "secret": lambda value: False,
    "secrets": lambda value: value == [],
    "template": lambda value: isinstance(value, str),
    "trigger": lambda value: value == "deploy",
    "application": lambda value: value in ("1", "true"),
    "address": lambda value: False,
}


@pytest.mark.parametrize("key", RIGHT)
def test_nothing_is_coerced(key: str) -> None:
    for value in WRONG:
        result, problems = read({key: value})
        # TOML has no null; None stands for an absent key.
        if value is None or RIGHT[key](value):
            assert (result is not None, problems) == (True, [])
        else:
            assert result is None
            assert problems
            assert all(f" in t.{key}" in text and " (x.toml)" in text for text in problems)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([], "expected a table and not a list, in t (x.toml)"),
        ({"number": "1"}, "expected a whole number and not text, in t.number (x.toml)"),
        ({"number": True}, "expected a whole number and not true or false, in t.number (x.toml)"),
        ({"number": 1.0}, "expected a whole number and not a number, in t.number (x.toml)"),
        ({"switch": "no"}, "expected true or false and not text, in t.switch (x.toml)"),
        ({"switch": 0}, "expected true or false and not a whole number, in t.switch (x.toml)"),
        ({"fraction": "1"}, "expected a number and not text, in t.fraction (x.toml)"),
        ({"seconds": 0}, "expected a number of seconds above 0, in t.seconds (x.toml)"),
        ({"size": 0}, "expected a number of bytes above 0, in t.size (x.toml)"),
        ({"items": "a"}, "expected a list and not text, in t.items (x.toml)"),
        ({"items": ["a", 1]}, "expected text and not a whole number, in t.items[1] (x.toml)"),
        ({"table": [["a", 1]]}, "expected a table and not a list, in t.table (x.toml)"),
        ({"tables": {"x": {}}}, "the key `number` is missing in t.tables.x (x.toml)"),
        (
            {"tables": {"a/b": {"number": {}}}},
            'expected a whole number and not a table, in t.tables."a/b".number (x.toml)',
        ),
        ({"level": "hihg"}, 'expected one of "low", "high", in t.level (x.toml); did you mean `high`?'),
        ({"level": ["high"]}, "expected text and not a list, in t.level (x.toml)"),
        (
            {"trigger": "deplo"},
            "there is no trigger `deplo` (there are: deploy), in t.trigger (x.toml); did you mean `deploy`?",
        ),
        ({"application": "a/b"}, "'a/b' cannot be an application: it holds a slash, in t.application (x.toml)"),
        (
            {"template": "{{"},
            "the template cannot be used: line 1: unexpected 'end of template', in t.template (x.toml)",
        ),
        ({"made": "x"}, None),
        ({"txet": 1}, "unknown key `txet` in t (x.toml); did you mean `text`?"),
        ({"tables": {"x": {"number": 1, "zzz": 2}}}, "unknown key `zzz` in t.tables.x (x.toml); known keys: number"),
    ],
)
def test_the_exact_words(table: Any, message: str | None) -> None:
    result, problems = read(table)
    assert result is None
    assert len(problems) == 1
    assert message is None or problems == [message]


def test_a_class_without_keys() -> None:
    @frozen
    class Empty:
        """Nothing."""

    assert read({"x": 1}, Empty)[1] == ["unknown key `x` in t (x.toml); known keys: none"]


def test_what_a_class_of_a_plugin_raises_is_a_problem() -> None:
    def never(instance: Any, attribute: Any, value: Any) -> None:
        raise RuntimeError if value == "bare" else KeyError("no such thing")

    @frozen
    class Strange:
        text: str = field(validator=never)

    assert read({"text": "x"}, Strange) == (None, ["'no such thing', in t (x.toml)"])
    assert read({"text": "bare"}, Strange) == (None, ["RuntimeError, in t (x.toml)"])


def test_a_type_that_nobody_can_read_is_a_problem() -> None:
    @frozen
    class Strange:
        text: complex

    result, problems = read({"text": "x"}, Strange)
    assert result is None
    assert len(problems) == 1


def test_the_nearest_word_is_suggested() -> None:
    assert suggestion("secrect", ["secrets", "triggers"]) == "; did you mean `secrets`?"
    assert suggestion("zzz", ["secrets"]) == ""


def test_kinds_in_words() -> None:
    kinds: list[Any] = [True, 1, 1.5, "x", {}, [], None]
    words = ["true or false", "a whole number", "a number", "text", "a table", "a list", "NoneType"]
    assert [described(value) for value in kinds] == words


# Where the name of something is expected, the text has to be shown; a secret does not go there by mistake.
NAMES = ("trigger", "application", "address")
HOLDERS = st.recursive(
    st.just(SECRET),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=2)
        | st.dictionaries(st.sampled_from(["env", "file", "value", "number"]), inner, min_size=1, max_size=2)
    ),
    max_leaves=3,
)


@given(st.dictionaries(st.sampled_from([*(key for key in RIGHT if key not in NAMES), "unknown"]), HOLDERS, min_size=1))
def test_a_secret_in_the_wrong_place_is_in_no_message(table: dict[str, Any]) -> None:
    _, problems = Reader(Sources(Path("x.toml"))).read(Everything, table, ("t",))
    assert SECRET not in "\n".join(map(str, problems)) + repr(problems)


@given(
    st.dictionaries(st.text(), st.recursive(st.none() | st.text() | st.integers() | st.floats(), st.lists), max_size=3)
)
def test_any_table_gives_an_instance_or_sentences(table: dict[str, Any]) -> None:
    result, problems = read(table)
    assert (result is None) == bool(problems)
    json.dumps(problems)
