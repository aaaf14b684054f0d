"""A configuration class says itself what its types cannot: ``ducttape_problems``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import pytest
from attrs import field, frozen

from duct_tape.conf.sources import Sources
from duct_tape.conf.structure import Reader
from duct_tape.errors import Problem
from duct_tape.secret import Secret
from duct_tape.templates import Template


@frozen(kw_only=True)
class Picky:
    """Says more of its instances than its types do."""

    number: int = 0
    secret: Secret | None = None
    template: Template | None = None
    level: Literal["low", "high"] = "low"
    parts: Mapping[str, Picky] = field(factory=dict)
    more: tuple[Picky, ...] = ()

    def ducttape_problems(self) -> Iterable[Any]:
        if self.number == 13:
            yield Problem(message="13 is unlucky,", path="number", hint="take another")
        if self.number == 14:
            raise KeyError("oops")
        if self.number == 15:
            yield "a text"


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"number": 12}, []),
        ({"number": 13}, ["13 is unlucky, in t.number (x.toml); take another"]),
        (
            {"number": 13, "parts": {"a/b": {"number": 13}}, "more": [{}, {"parts": {"x": {"number": 13}}}]},
            [
                "13 is unlucky, in t.number (x.toml); take another",
                '13 is unlucky, in t.parts."a/b".number (x.toml); take another',
                "13 is unlucky, in t.more[1].parts.x.number (x.toml); take another",
            ],
        ),
        ({"number": 14}, ["`ducttape_problems` failed (KeyError: 'oops'), in t (x.toml)"]),
        ({"number": 15}, ["`ducttape_problems` returned something else than problems, in t (x.toml)"]),
        (
            {"number": 13, "nmber": 1, "secret": {"env": "NOT_SET"}, "template": "{{"},
            ["the environment variable", "the template", "unknown key", "13 is unlucky, in t.number"],
        ),
        (
            {"number": 13, "parts": {"bad": {"number": "x"}, "good": {"number": 13}}},
            ["expected a whole number", "13 is unlucky, in t.number", "13 is unlucky, in t.parts.good.number"],
        ),
        # Nobody can be asked of a value that is not there.
        ({"number": 13, "level": 1}, ["expected text"]),
    ],
)
def test_a_class_says_itself_what_is_wrong(table: Any, told: list[str]) -> None:
    result, found = Reader(Sources(Path("x.toml"))).read(Picky, table, ("t",))
    problems = [str(problem) for problem in found]
    assert (result is None) == bool(told)
    assert [text[: len(start)] for text, start in zip(problems, told, strict=True)] == told
