"""Runs a project's build backend (PEP 517): ``python -m duct_tape.lint.backend PROJECT FOLDER``."""

from __future__ import annotations

import importlib
import os
import sys
from functools import reduce
from pathlib import Path
from typing import Any

from duct_tape.lint.building import build_system


def main(project: Path, folder: Path) -> None:
    """Build the wheel of ``project`` into ``folder``."""
    system = build_system(project)
    os.chdir(project)
    sys.path[:0] = [str(project / path) for path in system.get("backend-path", [])]
    name, _, attributes = str(system["build-backend"]).partition(":")
    backend: Any = reduce(getattr, filter(None, attributes.split(".")), importlib.import_module(name))
    backend.build_wheel(str(folder))


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]))
    except (Exception, SystemExit) as error:
        # The last line is what the author reads.
        sys.exit(f"{type(error).__name__}: {' '.join(str(error).split())}")
