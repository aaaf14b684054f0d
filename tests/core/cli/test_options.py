"""Options and output that several commands share."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from duct_tape.cli.options import config_option, json_option, print_json, print_table


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
