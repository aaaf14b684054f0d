"""The program of a command, which no release can choose."""

from __future__ import annotations

import os
import shutil
from functools import cache
from pathlib import PurePosixPath

from duct_tape.api import PermanentError

# Fixed: what the server was started with does not decide what is run.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def program(word: str) -> str:
    """The absolute path of a program.

    :raises PermanentError: there is none.
    """
    if problem := program_problem(word):
        raise PermanentError(problem)
    return word if "/" in word else _looked_up(word) or word


def program_problem(word: str) -> str:
    """Why this is no program that can be run, or an empty string."""
    shown = repr(word[:200])
    if not word or "\0" in word:
        return "the program is missing"
    if "/" not in word:
        return "" if _looked_up(word) else f"there is no program {shown} in {PATH}"
    path = PurePosixPath(word)
    if not path.is_absolute() or ".." in path.parts:
        return f"the program {shown} is neither a name nor an absolute path"
    if not (os.path.isfile(word) and os.access(word, os.X_OK)):
        return f"there is no executable file {shown}"
    return ""


@cache
def _looked_up(name: str) -> str | None:
    """Where a name leads, once and for all: a program that turns up later in a folder before it is not run."""
    return shutil.which(name, path=PATH)
