from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.listener_support import Host
from tests.unmeasured_support import unmeasured

from duct_tape.cli import group
from duct_tape.cli.listen import LineFormatter


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


@pytest.fixture(autouse=True)
def logger() -> Iterator[logging.Logger]:
    logger = logging.getLogger("duct_tape")
    before = (logger.handlers, logger.level, logger.propagate)
    yield logger
    logger.handlers, logger.level, logger.propagate = before


def called(host: Host, *options: str) -> object:
    words = ["listen", "--volume", str(host.volume), "--applications", str(host.applications), *options]
    return CliRunner().invoke(group, words, standalone_mode=False).return_value


def test_the_exit_code_is_the_answer(host: Host) -> None:
    host.application("a", "exit 1")
    assert called(host, "--once") == 0
    host.flag("a", "v1")
    assert called(host, "--once") == 1


def test_folders_can_come_from_the_environment(host: Host) -> None:
    host.application("a")
    host.flag("a", "v1")
    environment = {"DUCT_TAPE_VOLUME": str(host.volume), "DUCT_TAPE_APPLICATIONS": str(host.applications)}

    assert CliRunner().invoke(group, ["listen", "--once"], env=environment, standalone_mode=False).return_value == 0
    assert host.runs("a") == ["v1"]


@pytest.mark.parametrize("options", [["--concurrency", "0"], ["--timeout", "0"], ["--grace", "-1"], ["--poll"]])
def test_wrong_options(host: Host, options: list[str]) -> None:
    words = ["listen", "--volume", str(host.volume), "--applications", str(host.applications), *options]
    assert CliRunner().invoke(group, words).exit_code == 2


def test_help_has_an_example() -> None:
    assert "Example: duct-tape listen --volume" in CliRunner().invoke(group, ["listen", "--help"]).output


def record(level: int, message: str, *, broken: bool = False) -> logging.LogRecord:
    try:
        raise ValueError("a\x1bb")
    except ValueError:
        info = sys.exc_info() if broken else None
    return logging.LogRecord("duct_tape", level, __file__, 1, message, None, info)


def test_a_line_cannot_move_the_cursor() -> None:
    formatter = LineFormatter()

    assert formatter.format(record(logging.INFO, "a\nb\x1b[31m")) == "a\\nb\\x1b[31m"
    assert formatter.format(record(logging.WARNING, "ä")) == "warning: ä"
    trace = formatter.format(record(logging.ERROR, "oh", broken=True))
    assert trace.startswith("error: oh\nTraceback")
    assert trace.endswith("ValueError: a\\x1bb")


def test_the_web_server_is_not_imported() -> None:
    code = """
import sys
import duct_tape.cli.listen
heavy = {"starlette", "hypercorn", "jinja2", "cattrs", "sqlite3", "pluggy", "httpx2", "asyncinotify"}
sys.exit(", ".join(sorted(heavy & sys.modules.keys())) or 0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=unmeasured())
    assert (done.returncode, done.stderr) == (0, "")
