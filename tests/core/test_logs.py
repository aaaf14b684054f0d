"""Logs: one line per event, whatever is in it."""

from __future__ import annotations

import io
import json
import logging
import sys
import warnings
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from duct_tape.logs import MAX_MESSAGE, ConsoleFormatter, JSONFormatter, configure, escaped


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, put back as it was."""
    loggers = [logging.getLogger(name) for name in (None, "hypercorn", "asyncio")]
    levels, handlers = [logger.level for logger in loggers], loggers[0].handlers[:]
    yield loggers[0]
    loggers[0].handlers[:] = handlers
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


def record(message: str, *arguments: object, error: Exception | None = None) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    made = logging.LogRecord("github", logging.WARNING, __file__, 1, message, arguments, info)
    made.created, made.msecs = 1777636800.25, 250.0
    return made


def raised(message: str) -> Exception:
    try:
        raise ValueError(message)
    except ValueError as error:
        return error


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain ü 🚀", "plain ü 🚀"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\x1b[2J\x07\0", "\\x1b[2J\\x07\\x00"),
        ("\x7f\x9b", "\\x7f\\x9b"),
        ("a\u2028b\u2029\u0085", "a\\u2028b\\u2029\\x85"),
        ("v1\u202egnp\u200b\ufeff", "v1\\u202egnp\\u200b\\ufeff"),
        ("\ud800", "\\ud800"),
        ("x" * MAX_MESSAGE, "x" * MAX_MESSAGE),
        ("x" * (MAX_MESSAGE + 1), "x" * MAX_MESSAGE + "…"),
    ],
)
def test_a_text_becomes_one_line(text: str, line: str) -> None:
    assert escaped(text) == line


@given(st.text(st.characters(categories=None)))
@example("\n" * 10_000)
def test_any_text_becomes_one_line_of_bounded_length(text: str) -> None:
    line = escaped(text)
    assert len(line) <= MAX_MESSAGE + 1
    assert line.splitlines() in ([line], [])
    assert not any(ord(mark) < 32 or 127 <= ord(mark) < 160 for mark in line)
    line.encode("utf-8")


def test_the_console() -> None:
    line = ConsoleFormatter().format(record("accepted %s\n%d", "v1\x1b[0m", 3))
    assert line == "2026-05-01T12:00:00.250Z warning github: accepted v1\\x1b[0m\\n3"


def test_json() -> None:
    assert json.loads(JSONFormatter().format(record("accepted %s", "ü\n"))) == {
        "time": "2026-05-01T12:00:00.250Z",
        "level": "warning",
        "logger": "github",
        "message": "accepted ü\\n",
    }


def test_an_exception_is_on_the_same_line_and_its_end_is_kept() -> None:
    error = raised("first\n" + "x" * 5000 + "\nlast \x1b")
    line = ConsoleFormatter().format(record("failed", error=error))
    assert len(line.splitlines()) == 1
    assert " github: failed | " in line
    assert line.endswith("\\nlast \\x1b")
    members = json.loads(JSONFormatter().format(record("failed", error=error)))
    assert members["message"] == "failed"
    assert members["exception"].endswith("\\nlast \\x1b")
    assert len(members["exception"]) <= MAX_MESSAGE + 1


@pytest.mark.parametrize(("form", "formatter"), [("console", ConsoleFormatter), ("json", JSONFormatter)])
def test_every_record_goes_to_standard_error(
    root: logging.Logger, monkeypatch: pytest.MonkeyPatch, form: str, formatter: type
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    configure("warning", form)
    assert [type(handler.formatter) for handler in root.handlers] == [formatter]
    logging.getLogger("github").warning("seen")
    logging.getLogger("github").info("not seen")
    assert len(stream.getvalue().splitlines()) == 1
    assert "seen" in stream.getvalue()


@pytest.mark.parametrize(("level", "theirs"), [("debug", logging.WARNING), ("error", logging.ERROR)])
def test_libraries_are_quiet(root: logging.Logger, level: str, theirs: int) -> None:
    configure(level, "console")
    assert logging.getLevelName(root.level) == level.upper()
    assert [logging.getLogger(name).level for name in ("hypercorn", "asyncio")] == [theirs, theirs]


def test_a_warning_of_pythons_is_a_line_too(
    root: logging.Logger, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    configure("info", "console")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn_explicit("an old\nthing", UserWarning, "/a/plugin.py", 3)
    line = capsys.readouterr().err
    assert line.endswith(" warning duct_tape: UserWarning: an old\\nthing (/a/plugin.py, line 3)\n")
