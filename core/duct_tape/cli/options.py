"""Options and output that several commands share."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

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


def print_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """The rows as aligned text."""
    cells = [[str(row.get(column, "")) for column in columns] for row in rows]
    headings = [column.upper().replace("_", " ") for column in columns]
    widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    for line in [headings, *cells]:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
