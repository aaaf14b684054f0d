"""Names from outside: which are safe, and how the others are shown."""

from __future__ import annotations

import re
import secrets
import time

_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")
_CLAIM = re.compile(r"[0-9]{20}-[0-9a-f]{8}")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


def is_run_id(text: str) -> bool:
    """Whether ``text`` can be a run's id and with that a part of a file name."""
    return _RUN.fullmatch(text) is not None


def made_claim_id(newest: str = "") -> str:
    """A name for a claim's folder; names sort in the order of the claims, also when the clock is set back.

    :param newest: the greatest name that there is already, if there is one.
    """
    number = max(time.time_ns(), int(newest.partition("-")[0] or "0") + 1)
    return f"{number:020d}-{secrets.token_hex(4)}"


def made_run_id(claim_id: str) -> str:
    """An id for a flag that has none, for instance one that ``touch`` made; the same after a crash."""
    return f"local-{claim_id}"


def is_claim_id(text: str) -> bool:
    """Whether ``text`` was made by ``made_claim_id``."""
    return _CLAIM.fullmatch(text) is not None


def aside_name(name: str) -> str:
    """A harmless name, unlike any other, under which something called ``name`` is set aside."""
    return f"{time.time_ns():020d}-{secrets.token_hex(4)}-{_UNSAFE.sub('_', name)[:80]}"


def printable(text: str) -> str:
    """``text`` on one line, with everything that could move a terminal's cursor escaped."""
    if text.isprintable():
        return text
    return "".join(mark if mark.isprintable() else _escaped(mark) for mark in text)


def _escaped(mark: str) -> str:
    return mark.encode("unicode_escape", "surrogatepass").decode("ascii")
