"""The reader of the configuration: whatever is in the file, problems that name it, and no accident."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path

from duct_tape.conf.load import load
from duct_tape.conf.sources import read as read_sources
from duct_tape.conf.structure import Reader
from duct_tape.errors import ConfigurationError
from duct_tape_github.conf import GitHubConf
from fuzzing.oracle import hold

FOLDER = Path(tempfile.mkdtemp(prefix="duct-tape-fuzz-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)


def read(data: bytes) -> None:
    """Read the bytes as the main file, with the sections of the core and those of the plugin github."""
    # A file that it may refer to must not be one that waits for somebody, such as a terminal.
    if b"/dev" in data or b"/proc" in data:
        return
    path = FOLDER / "duct_tape.toml"
    path.write_bytes(data)
    try:
        sources = read_sources(path, {})
    except ConfigurationError:
        return
    configuration, problems = load(sources)
    for table in configuration.plugins:
        _, more = Reader(sources).read(GitHubConf, table.data, ("plugins", table.instance))
        problems += more
    for problem in problems:
        hold(problem.message and problem.file != "", f"no message: {problem!r}")
        str(problem).encode("utf-8", "surrogatepass")
