"""Processes whose coverage is not measured: those that run little or nothing of ours, and those that are timed."""

from __future__ import annotations

import os


def unmeasured() -> dict[str, str]:
    """The environment without what makes coverage.py follow a process, which takes most of the time of some."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COV")}
