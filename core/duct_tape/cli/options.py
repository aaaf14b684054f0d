"""Options and output that several commands share."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from duct_tape.logs import escaped

# No column but the last is wider, and the last is not cut to less.
MOST = 48
LEAST = 20

F = TypeVar("F", bound=Callable[..., Any])


def config_option(function: F) -> F:
    """``--config PATH``."""
    return click.option(
        "--config",
        "config",
        type=click.Path(path_type=Path),
        envvar="DUCT_TAPE_CONFIG",
        help="The configuration file.  [default: conf/duct_tape.toml]",
    )(function)


def json_option(function: F) -> F:
    """``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")(function)


def limit_option(function: F) -> F:
    """``--limit N``."""
    return click.option(
        "--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="At most so many."
    )(function)


def print_json(value: Any) -> None:
    """The value as JSON on standard output."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_outcome(as_json: bool, facts: Mapping[str, Any], *sentences: str, err: bool = False) -> None:
    """What a command did: sentences for people, or one JSON object for scripts that has them as its ``detail``.

    :param err: whether people read it on standard error.
    """
    if as_json:
        print_json({**facts, "detail": "\n".join(sentences)})
        return
    for sentence in sentences:
        click.echo(escaped(sentence), err=err)


def print_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """The rows as aligned text; on a terminal each in one line, as far as its last column goes.

    What strangers wrote stands in them: nothing of it moves the cursor.
    """
    cells = [[shortened(escaped(str(row.get(column, ""))), MOST) for column in columns[:-1]] for row in rows]
    last = [escaped(str(row.get(columns[-1], ""))) for row in rows]
    headings = [column.upper().replace("_", " ") for column in columns]
    widths = [max(map(len, column)) for column in zip(headings[:-1], *cells, strict=True)]
    room = shutil.get_terminal_size().columns - sum(widths) - 2 * len(widths)
    for line, end in zip([headings[:-1], *cells], [headings[-1], *last], strict=True):
        words = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        words.append(shortened(end, max(room, LEAST)) if sys.stdout.isatty() else end)
        click.echo("  ".join(words).rstrip())


def shortened(text: str, width: int) -> str:
    """The text, with a mark where it was cut."""
    return text if len(text) <= width else f"{text[: width - 1]}…"
