"""Building a project's wheel, with the tools that are installed and nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

from attrs import frozen

SECONDS = 120.0
# What a wheel is not made of: environments and caches, and what an earlier build left behind.
_SKIPPED = ("build", "dist", "*.egg-info", "__pycache__", ".venv", "venv", ".tox", ".nox", "node_modules", ".*_cache")
_MINIMUM = re.compile(r"^([A-Za-z0-9._-]+).*?>=\s*([0-9][0-9.]*)")


@frozen(kw_only=True)
class Unbuilt:
    """There is no wheel.

    :param sentence: why, without a full stop.
    :param broken: whether the project is at fault, and not what is installed here.
    """

    sentence: str
    broken: bool


def built(project: Path, folder: Path) -> Path | Unbuilt:
    """The wheel of a project, built by its own backend from a copy: nothing is left in the project.

    Without a network and without pip, so the backend has to be installed.

    :param folder: an empty one, to work in.
    """
    try:
        system = build_system(project)
    except (OSError, ValueError) as error:
        return Unbuilt(sentence=f"pyproject.toml cannot be read: {error}", broken=True)
    if lacking := unmet(system.get("requires", [])):
        sentence = f"the wheel cannot be built here, since that needs {lacking}"
        return Unbuilt(sentence=f"{sentence}: `pip install '{lacking}'`", broken=False)
    # Some backends ask git for the version; for all others its history is a burden.
    asking = any("scm" in text or "vcs" in text for text in system.get("requires", []))
    skipped = shutil.ignore_patterns(*_SKIPPED, *([] if asking else [".git"]))
    try:
        shutil.copytree(project, folder / "source", symlinks=True, ignore=skipped)
    except OSError as error:
        return Unbuilt(sentence=f"the project cannot be copied, to build its wheel: {_first(error)}", broken=False)
    (folder / "built").mkdir()
    command = [sys.executable, "-P", "-m", "duct_tape.lint.backend", str(folder / "source"), str(folder / "built")]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return Unbuilt(sentence=f"building the wheel did not end within {SECONDS:g} seconds", broken=True)
    wheels = list((folder / "built").glob("*.whl"))
    if done.returncode or not wheels:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()] or ["without a word"]
        return Unbuilt(sentence=f"the wheel cannot be built: {lines[-1][:300]}", broken=True)
    return wheels[0]


def build_system(project: Path) -> dict[str, Any]:
    """The table ``[build-system]``, with the defaults of PEP 517.

    :raises ValueError: the file is no TOML.
    """
    path = project / "pyproject.toml"
    document: dict[str, Any] = tomllib.loads(path.read_text("utf-8")) if path.is_file() else {}
    default = {"requires": ["setuptools>=40.8"], "build-backend": "setuptools.build_meta:__legacy__"}
    return {**default, **document.get("build-system", {})}


def unmet(requirements: list[str]) -> str:
    """The first requirement of a build that is not installed in this version, or an empty string."""
    for text in requirements:
        minimum = _MINIMUM.match(text)
        name = minimum[1] if minimum else re.split(r"[^A-Za-z0-9._-]", text, maxsplit=1)[0]
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            return text
        if minimum and _numbers(version) < _numbers(minimum[2]):
            return text
    return ""


def _first(error: OSError) -> str:
    """One reason; copying a folder has as many as it has files that could not be copied."""
    reasons = error.args[0] if isinstance(error, shutil.Error) else None
    return str(reasons[0][2]) if isinstance(reasons, list) and reasons else str(error)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
