"""Configuration files in a folder of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from duct_tape.assembly import assemble

Write: TypeAlias = Callable[..., Path]
Problems: TypeAlias = Callable[[str], list[str]]

SECRET = "hunter2-0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of every test, with a good secret in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("DUCT_TAPE_CONFIG", "DUCT_TAPE_ENV", "DUCT_TAPE_BIND"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    return tmp_path


@pytest.fixture
def write(folder: Path) -> Write:
    """Write one file of the configuration."""

    def write(text: str | bytes, name: str = "conf/duct_tape.toml") -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        return path

    return write


@pytest.fixture
def problems(write: Write) -> Problems:
    """What is wrong with a configuration, as people read it."""

    def problems(text: str) -> list[str]:
        write(text)
        return [str(problem) for problem in assemble().problems]

    return problems
