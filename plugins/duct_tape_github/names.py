"""Names and times as GitHub sends them. Total functions."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from duct_tape.api import Event, MalformedError, member, moment

# Git keeps a tag as a file, whose name has at most 255 bytes. It goes into logs, answers and flags.
MAX_NAME = 1000

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_LAST = 253402300799


def git_name(name: str, what: str) -> str:
    """The name of a tag or a branch.

    :raises MalformedError: it is too long.
    """
    if len(name) > MAX_NAME:
        raise MalformedError(f"{what} is longer than {MAX_NAME} characters")
    return name


def is_commit(text: str) -> bool:
    """Whether a text is the full id of a commit."""
    return _COMMIT.fullmatch(text) is not None


def commit(event: Event, path: str) -> str:
    """The full id of a commit, or another object of git's.

    :raises MalformedError: it is none.
    """
    found = member(event.payload, path, str)
    if not is_commit(found):
        raise MalformedError(f"`{path}` is not the id of a commit")
    return found


def pushed_at(event: Event) -> str | None:
    """When somebody pushed: by GitHub's clock, unlike the time in a commit. In a push it is a number of seconds.

    :raises MalformedError: it is not a time.
    """
    repository = member(event.payload, "repository", dict)
    seconds = repository.get("pushed_at")
    if type(seconds) is not int:
        return moment(event.payload, "repository.pushed_at")
    if not 0 <= seconds <= _LAST:
        raise MalformedError("`repository.pushed_at` is not a time")
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
