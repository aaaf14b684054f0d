"""Documented keys of configuration classes."""

from __future__ import annotations

from typing import Any

import attrs

from duct_tape.conf.options import option


@attrs.frozen(kw_only=True)
class Example:
    """An example."""

    required: str = option("It is needed.")
    absent: str | None = option("It may be absent.", default=None)
    made: list[str] = option("It is made.", factory=list, shown="none")


def test_an_option_is_a_field_with_a_meaning() -> None:
    fields: tuple[attrs.Attribute[Any], ...] = tuple(attrs.fields(Example))
    required, absent, made = fields
    assert required.metadata == {"help": "It is needed.", "shown": None}
    assert required.default is attrs.NOTHING
    assert absent.default is None
    assert made.metadata["shown"] == "none"
    one, other = Example(required="x"), Example(required="x")
    assert one.made == []
    assert one.made is not other.made
