"""``duct-tape schema``: for editors and for the reference page."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from duct_tape.conf.reference import reference
from duct_tape.conf.schema import schema
from duct_tape.conf.sections import sections

Cli = Callable[..., Any]


def test_it_needs_no_configuration(cli: Cli) -> None:
    ended = cli("schema")
    assert (ended.code, ended.err) == (0, "")
    assert json.loads(ended.out) == schema(sections())


def test_the_reference_page(cli: Cli) -> None:
    ended = cli("schema", "--format", "markdown")
    assert ended.code == 0
    assert ended.out == reference(sections()) + "\n"
