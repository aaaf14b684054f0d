"""The reference page of the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import attrs
import pytest

from duct_tape.conf.options import ApplicationName, Seconds, Size, TriggerName, option
from duct_tape.conf.reference import default_text, reference, type_name
from duct_tape.conf.sections import Sections, sections
from duct_tape.secret import Secret
from duct_tape.templates import Template


@attrs.frozen
class Inner:
    """A table inside."""

    number: int = option("A number.")


@attrs.frozen(kw_only=True)
class Example:
    """An example.

    More about it.
    """

    required: str = option("This | that.")
    inner: Mapping[str, Inner] = option("Tables.", factory=dict)
    made: int = attrs.field(init=False, default=1)


def test_a_page() -> None:
    assert reference(Sections(core={"one": Inner}, actions={"act": Inner}, plugins={"ex": Example, "bare": None})) == (
        """\
## `[one]`

A table inside.

| key | type | default | meaning |
|---|---|---|---|
| `number` | whole number | required | A number. |

## `[triggers.NAME] with action = "act"`

A table inside.

| key | type | default | meaning |
|---|---|---|---|
| `number` | whole number | required | A number. |

## `[plugins.ex]`

An example.

| key | type | default | meaning |
|---|---|---|---|
| `required` | text | required | This \\| that. |
| `inner` | table of tables | none | Tables. |

## `[plugins.ex.inner.NAME]`

A table inside.

| key | type | default | meaning |
|---|---|---|---|
| `number` | whole number | required | A number. |

## `[plugins.bare]`

No keys.
"""
    )


def test_a_single_table_inside_has_its_own_name() -> None:
    cls = attrs.make_class("Outer", {"inner": option("A table.", factory=dict)})
    cls.__annotations__ = {"inner": Inner}
    headings = [line for line in reference(Sections(plugins={"ex": cls})).splitlines() if line.startswith("## ")]
    assert headings == ["## `[plugins.ex]`", "## `[plugins.ex.inner]`"]


def test_every_key_of_every_installed_class_has_a_meaning() -> None:
    found = sections()
    for cls in [*found.core.values(), *found.actions.values(), *filter(None, found.plugins.values())]:
        for field in attrs.fields(cls):
            assert not field.init or field.metadata["help"].endswith((".", "`")), f"{cls.__name__}.{field.name}"


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (str, "text"),
        (bool | None, "true or false"),
        (Path, "path"),
        (Seconds, "number above 0"),
        (Size, "whole number above 0"),
        (Template | None, "[template](templates.md)"),
        (tuple[Secret, ...], "list of secret"),
        (tuple[TriggerName, ...] | None, "list of name of a trigger"),
        (ApplicationName, "application"),
        (Literal["a", "b"], '`"a"` or `"b"`'),
        (Mapping[str, Any], "table"),
        (Mapping[str, Inner], "table of tables"),
        (Inner, "table"),
        (Any, "anything"),
    ],
)
def test_types_in_words(kind: Any, words: str) -> None:
    assert type_name(kind) == words


@pytest.mark.parametrize(
    ("default", "words"),
    [
        (attrs.NOTHING, "required"),
        (None, "none"),
        (attrs.Factory(dict), "none"),
        (True, "`true`"),
        (1.5, "`1.5`"),
        ("x", "`x`"),
        ((), "none"),
        (("a", "b"), '`["a", "b"]`'),
        (Template("{{ a }}"), "`{{ a }}`"),
        (Path("a/b"), "`a/b`"),
    ],
)
def test_defaults_in_words(default: Any, words: str) -> None:
    cls = attrs.make_class("Made", {"key": attrs.field(default=default)})
    assert default_text(attrs.fields(cls).key) == words


@pytest.mark.parametrize(("shown", "words"), [("15", "`15`"), ("`15` or so", "`15` or so")])
def test_a_default_may_be_shown_differently(shown: str, words: str) -> None:
    cls = attrs.make_class("Made", {"key": option("A key.", default=1, shown=shown)})
    assert default_text(attrs.fields(cls).key) == words
