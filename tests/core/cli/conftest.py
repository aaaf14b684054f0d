"""The command line as people use it: arguments in, two streams and an exit code out."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import pytest
from attrs import frozen

from duct_tape import assembly
from duct_tape.cli import main
from duct_tape.hookspecs import API_VERSION, hookimpl
from duct_tape.plugins.discovery import from_object, installed

SECRET = "hunter2-0123456789abcdef0123456789abcdef"

CONFIGURATION = """\
[triggers.deploy]
action = "touch-file"
[plugins.touch-file]
[plugins.github]
secrets = [{ env = "HOOK_SECRET" }]
triggers = ["deploy"]
[plugins.github.repositories."acme/site"]
application = "site.example.com"
"""


@frozen
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


Cli: TypeAlias = Callable[..., Ended]
Configure: TypeAlias = Callable[..., Path]
Offer: TypeAlias = Callable[..., None]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of every test, with a good secret in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("DUCT_TAPE_CONFIG", "DUCT_TAPE_ENV", "DUCT_TAPE_BIND"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    return tmp_path


@pytest.fixture
def configure(folder: Path) -> Configure:
    """Write the configuration."""

    def configure(text: str = CONFIGURATION, name: str = "conf/duct_tape.toml") -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    return configure


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run ``duct-tape`` with these arguments."""

    def cli(*arguments: str, stdin: bytes = b"") -> Ended:
        monkeypatch.setattr(sys, "argv", ["duct-tape", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as ended:
            main()
        code, captured = ended.value.code, capsys.readouterr()
        assert isinstance(code, int)
        assert "Traceback" not in captured.err
        assert SECRET not in captured.out + captured.err
        return Ended(code, captured.out, captured.err)

    return cli


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch) -> Offer:
    """Install a plugin ``x`` that consists of these hooks."""

    def offer(**hooks: Callable[..., Any]) -> None:
        plugin = ModuleType("x")
        vars(plugin).update({f"ducttape_{name}": hookimpl(hook) for name, hook in hooks.items()})
        if hooks:
            vars(plugin)["DUCT_TAPE_API"] = API_VERSION
        found = {**installed(), "x": [from_object("x", plugin)]}
        monkeypatch.setattr(assembly, "installed", lambda: found)

    return offer
