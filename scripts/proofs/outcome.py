"""What a proof found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import frozen


class ProofError(Exception):
    """The proof itself cannot go on; the text says why."""


@frozen
class Outcome:
    """The figures of a proof, and what they say of the promise.

    :param figures: in the order in which they are shown; a list holds one mapping for each row of a table.
    :param broken: a sentence for each part of the promise that did not hold.
    """

    figures: Mapping[str, Any]
    broken: tuple[str, ...] = ()

    def to_json(self) -> str:
        return json.dumps({**self.figures, "broken": self.broken})

    def table(self) -> str:
        """For people."""
        lines = []
        for name, value in self.figures.items():
            if isinstance(value, list):
                lines += ["", *_columns(value)]
            else:
                lines.append(f"{name.replace('_', ' ') + ':':<16} {_text(value)}")
        return "\n".join([*lines, *(f"BROKEN: {sentence}" for sentence in self.broken)])


def _columns(rows: list[Mapping[str, Any]]) -> list[str]:
    if not rows:
        return []
    texts = [[key.replace("_", " ") for key in rows[0]], *([_text(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in texts]


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_text(item)}" for name, item in value.items())
    return f"{value:,.3g}" if isinstance(value, float) and abs(value) < 1000 else f"{value}"
