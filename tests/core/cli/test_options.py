"""Options and output that several commands share."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from duct_tape.cli.options import MOST, config_option, json_option, print_json, print_table


@click.command()
@config_option
@json_option
def command(config: Path | None, as_json: bool) -> None:
    click.echo(f"{config!r} {as_json}")


@pytest.mark.parametrize(
    ("arguments", "variable", "text"),
    [
        ([], None, "None False"),
        (["--config", "a.toml", "--json"], None, "PosixPath('a.toml') True"),
        ([], "b.toml", "PosixPath('b.toml') False"),
        (["--config", "a.toml"], "b.toml", "PosixPath('a.toml') False"),
        ([], "", "None False"),
    ],
)
def test_options(arguments: list[str], variable: str | None, text: str) -> None:
    result = CliRunner().invoke(command, arguments, env={"DUCT_TAPE_CONFIG": variable})
    assert result.output == f"{text}\n"


def test_json_keeps_what_people_can_read(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": ["ü", None]})
    text = capsys.readouterr().out
    assert json.loads(text) == {"a": ["ü", None]}
    assert "ü" in text


def test_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([{"name": "a", "long_one": 12345678901}, {"name": "bcdef"}], ["name", "long_one"])
    assert capsys.readouterr().out == "NAME   LONG ONE\na      12345678901\nbcdef\n"
    print_table([], ["name"])
    assert capsys.readouterr().out == "NAME\n"


def test_a_table_moves_no_cursor_and_widens_no_column(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"tag": "v1\x1b[31m\u202e", "detail": "x" * 200}, {"tag": "t" * 300, "detail": "y"}]
    print_table(rows, ("tag", "detail"))
    heading, first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("v1\\x1b[31m\\u202e ")
    assert first.endswith("x" * 200), "whole, where no terminal is"
    assert second == f"{'t' * (MOST - 1)}…  y"
    assert heading.split() == ["TAG", "DETAIL"]


def test_on_a_terminal_each_row_has_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    print_table([{"tag": "v1", "detail": "word " * 50}], ("tag", "detail"))
    line = capsys.readouterr().out.splitlines()[1]
    assert len(line) == 80
    assert line.endswith("…")
