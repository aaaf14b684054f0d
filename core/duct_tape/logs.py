"""One line per event, for people or for machines. Control characters never reach the terminal."""

from __future__ import annotations

import json
import logging
import re
import sys
import time
import warnings
from typing import Any

# Also what is invisible or turns the direction of writing, so that a line reads as it is.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
MAX_MESSAGE = 2000


def escaped(text: str) -> str:
    """The text on one line: control characters and half characters as escapes, cut where it is too long."""
    line = one_line(text)
    return line if len(line) <= MAX_MESSAGE else f"{line[:MAX_MESSAGE]}…"


class ConsoleFormatter(logging.Formatter):
    """``2026-05-01T12:00:00Z info github: accepted …``"""

    def format(self, record: logging.LogRecord) -> str:
        line = f"{_time(record)} {record.levelname.lower()} {record.name}: {escaped(record.getMessage())}"
        return f"{line} | {_exception(record)}" if record.exc_info else line


class JSONFormatter(logging.Formatter):
    """One JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        members: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": escaped(record.getMessage()),
        }
        if record.exc_info:
            members["exception"] = _exception(record)
        return json.dumps(members)


def configure(level: str, form: str) -> None:
    """Send every record of this process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JSONFormatter() if form == "json" else ConsoleFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # Hypercorn reports every connection that a peer resets; that is not an event for operators.
    logging.getLogger("hypercorn").setLevel(max(logging.WARNING, root.level))
    logging.getLogger("asyncio").setLevel(max(logging.WARNING, root.level))
    # Python's own, such as a plugin's at its import, would be written as two lines beside the log.
    warnings.showwarning = _warned


def _warned(message: object, category: type[Warning], filename: str, lineno: int, *_: object, **__: object) -> None:
    logging.getLogger("duct_tape").warning("%s: %s (%s, line %d)", category.__name__, message, filename, lineno)


def _time(record: logging.LogRecord) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z"


def _exception(record: logging.LogRecord) -> str:
    formatted = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
    line = one_line(formatted)
    # The end says what was raised and where.
    return line if len(line) <= MAX_MESSAGE else f"…{line[-MAX_MESSAGE:]}"


def one_line(text: str) -> str:
    """The text with control characters and half characters as escapes, however long it is."""
    return _CONTROL.sub(lambda found: ascii(found.group())[1:-1], text)
