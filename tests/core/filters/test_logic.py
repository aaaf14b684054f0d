"""Filters: the logic of Kleene, in which what is not known stays unknown unless it does not matter."""

from __future__ import annotations

from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duct_tape.filters import Filter

# None for unknown.
Truth: TypeAlias = bool | None

VALUES = {"t": True, "f": False, "more": {}}
NAMES: dict[str, Truth] = {"t": True, "f": False, "u": None}


def truth(source: str) -> Truth:
    refusal = Filter(source).refusal(VALUES)
    return True if not refusal else None if "cannot be told" in refusal else False


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("t and t", True), ("t and f", False), ("t and u", None),
        ("f and t", False), ("f and f", False), ("f and u", False),
        ("u and t", None), ("u and f", False), ("u and u", None),
        ("t or t", True), ("t or f", True), ("t or u", True),
        ("f or t", True), ("f or f", False), ("f or u", None),
        ("u or t", True), ("u or f", None), ("u or u", None),
        ("not t", False), ("not f", True), ("not u", None),
    ],
)  # fmt: skip
def test_the_truth_tables(written: str, expected: Truth) -> None:
    assert truth(written) is expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("t or f and f", True),
        ("(t or f) and f", False),
        ("not f and f", False),
        ("not (f and f)", True),
        ("not t or t", True),
        ("not not t", True),
        ("not f == t", True),
        ("f and f or t", True),
    ],
)
def test_what_binds_tighter(written: str, expected: Truth) -> None:
    assert truth(written) is expected


def test_the_first_unknown_is_told() -> None:
    assert Filter("t and one and two").refusal(VALUES).endswith("there is no value for `one`")
    assert Filter("f or two or one").refusal(VALUES).endswith("there is no value for `two`")


Tree: TypeAlias = tuple[str, Truth]


def negated(tree: Tree) -> Tree:
    text, value = tree
    return f"not ({text})", None if value is None else not value


def joined(word: str, trees: list[Tree]) -> Tree:
    values = [value for _, value in trees]
    deciding = word == "or"
    value = deciding if deciding in values else None if None in values else not deciding
    return f" {word} ".join(f"({text})" for text, _ in trees), value


TREES: st.SearchStrategy[Tree] = st.recursive(
    st.sampled_from(sorted(NAMES)).map(lambda name: (name, NAMES[name])),
    lambda trees: (
        trees.map(negated) | st.builds(joined, st.sampled_from(["and", "or"]), st.lists(trees, min_size=2, max_size=4))
    ),
    max_leaves=10,
)


@given(TREES)
def test_any_condition_is_what_its_parts_make_of_it(tree: Tree) -> None:
    text, value = tree
    assert truth(text) is value
