"""The command itself: help, exit codes, and sentences in place of tracebacks."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from duct_tape import __main__, __version__
from duct_tape import cli as module
from duct_tape.errors import ConfigurationError, DuctTapeError, Problem, StartupError

Cli = Callable[..., Any]


@pytest.mark.parametrize("name", sorted(module.COMMANDS))
def test_the_help_of_every_command_has_an_example(cli: Cli, name: str) -> None:
    for flag in ("--help", "-h"):
        ended = cli(name, flag)
        assert (ended.code, ended.err) == (0, "")
        assert f"Example: duct-tape {name}" in ended.out
        assert f"Usage: duct-tape {name} " in ended.out


def test_the_help_of_all_imports_none_of_them(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.import_module", lambda name: pytest.fail(name))
    ended = cli("--help")
    assert ended.code == 0
    for name, meaning in module.COMMANDS.items():
        assert f"  {name} " in ended.out
        assert meaning in ended.out
    assert "Example: duct-tape check && duct-tape serve" in ended.out


def test_each_command_says_the_same_in_its_own_help(cli: Cli) -> None:
    for name, meaning in module.COMMANDS.items():
        if name != "listen":
            assert meaning.removesuffix(".") in " ".join(cli(name, "--help").out.split())


def test_the_version(cli: Cli) -> None:
    assert cli("--version").out == f"duct-tape, version {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "Usage: duct-tape [OPTIONS] COMMAND [ARGS]..."),
        (["check", "extra"], "Got unexpected extra argument (extra)"),
        (["check", "--nonsense"], "No such option"),
        (["simulate"], "Missing argument 'INSTANCE'"),
        (["simulate", "github", "release", "missing.json"], "No such file or directory"),
        (["schema", "--format", "yaml"], "'yaml' is not one of 'json', 'markdown'"),
        (["init", "--directory", __file__], "is a file"),
    ],
)
def test_wrong_usage_is_exit_code_2(cli: Cli, arguments: list[str], text: str) -> None:
    ended = cli(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert text in ended.err


def test_a_typing_mistake_is_wrong_usage_with_and_without_a_configuration(
    cli: Cli, configure: Callable[..., Any]
) -> None:
    ended = cli("chekc")
    assert ended.code == 2
    assert "there is no command `chekc`, nor a plugin of that name: there is no configuration file" in ended.err
    configure()
    ended = cli("chekc")
    assert ended.code == 2
    assert "No such command 'chekc'; did you mean `check`?" in ended.err


@pytest.mark.parametrize(
    ("raised", "code", "err"),
    [
        (ConfigurationError([Problem(message="one"), Problem(message="two")]), 1, "error: one\nerror: two\n"),
        (StartupError("the port is taken"), 1, "error: the port is taken\n"),
        (DuctTapeError("no"), 1, "error: no\n"),
        (click.ClickException("no"), 1, "Error: no\n"),
        (click.UsageError("no"), 2, "Error: no\n"),
        (KeyboardInterrupt(), 130, ""),
        (EOFError(), 130, ""),
    ],
)
def test_an_error_is_a_sentence_on_standard_error(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, raised: BaseException, code: int, err: str
) -> None:
    def fail(ctx: click.Context) -> None:
        raise raised

    monkeypatch.setattr(module.group, "invoke", fail)
    ended = cli("check")
    assert (ended.code, ended.out) == (code, "")
    assert ended.err.strip("\n") == err.strip("\n")


@pytest.mark.parametrize(("returned", "code"), [(0, 0), (1, 1), (None, 0), ("text", 0)])
def test_what_a_command_returns_is_the_exit_code(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, returned: object, code: int
) -> None:
    monkeypatch.setattr(module.group, "invoke", lambda ctx: returned)
    assert cli("check").code == code


def test_the_module_is_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["duct-tape", "--version"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(__main__.__file__), run_name="__main__")
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"duct-tape, version {__version__}\n"


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"{sys.executable} -m duct_tape schema | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, timeout=60)
    assert (done.stdout, done.stderr) == ("{\n", "")


def test_a_terminal_that_cannot_show_a_name_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "duct_tape.toml").write_text('[plugins."→"]\n', "utf-8")
    command = [sys.executable, "-m", "duct_tape", "check", "--config", str(tmp_path)]
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (1, b"")
    assert done.stdout.startswith(b"error: `\\u2192` cannot be the name of an instance")
