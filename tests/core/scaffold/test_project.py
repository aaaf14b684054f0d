"""The files of a new project."""

from __future__ import annotations

import ast
import configparser
import tomllib
from pathlib import Path

import pytest

from duct_tape.errors import DuctTapeError
from duct_tape.scaffold.names import Names
from duct_tape.scaffold.project import KINDS, Project

FILES = [
    ".github/workflows/ci.yml",
    ".gitignore",
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "conf/duct_tape.toml",
    "duct_tape_hello/__init__.py",
    "duct_tape_hello/conf.py",
    "duct_tape_hello/plugin.py",
    "duct_tape_hello/py.typed",
    "pyproject.toml",
    "setup.cfg",
    "tests/test_plugin.py",
]


def project(kind: str = "integration", name: str = "hello", author: str = "Ada O'Hara") -> Project:
    return Project(names=Names(name), kind=kind, author=author, url="https://example.com/x", year=2031)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_these_files_and_no_blank_is_left(kind: str) -> None:
    made = project(kind).files()
    assert list(made) == FILES
    for path, text in made.items():
        assert "«" not in text, path
        assert "»" not in text, path
        assert text.endswith("\n") or not text, path
        if path.endswith(".py"):
            ast.parse(text)


@pytest.mark.parametrize("kind", KINDS)
def test_the_names_are_where_they_belong(kind: str) -> None:
    made = project(kind, "build-server").files()
    setup = configparser.ConfigParser()
    setup.read_string(made["setup.cfg"])
    assert setup["metadata"]["name"] == "duct-tape-build-server"
    assert setup["metadata"]["author"] == "Ada O'Hara"
    assert setup["metadata"]["url"] == "https://example.com/x"
    entry = "build-server = duct_tape_build_server.plugin"
    assert setup["options.entry_points"]["duct_tape.plugins"].strip() == entry
    assert "build-server" in tomllib.loads(made["conf/duct_tape.toml"])["plugins"]
    assert tomllib.loads(made["pyproject.toml"])["tool"]["mypy"]["strict"] is True
    assert "Copyright (c) 2031 Ada O'Hara" in made["LICENSE"]
    assert "${{ matrix.python }}" in made[".github/workflows/ci.yml"]


def test_the_core_is_required_from_this_version_to_the_next_major_one() -> None:
    assert "    duct-tape-core>=1.0,<2\n" in project().files()["setup.cfg"]


def test_it_is_written_whole(tmp_path: Path) -> None:
    folder = project().write(tmp_path)
    assert folder == tmp_path / "duct-tape-hello"
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()) == FILES


@pytest.mark.parametrize("there", ["folder", "file"])
def test_what_is_there_is_kept(tmp_path: Path, there: str) -> None:
    path = tmp_path / "duct-tape-hello"
    path.mkdir() if there == "folder" else path.write_text("mine")
    with pytest.raises(DuctTapeError, match=r"duct-tape-hello is there already; choose another name, or move it away$"):
        project().write(tmp_path)
    assert list(tmp_path.rglob("*")) == [path]


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(DuctTapeError, match=r"cannot be made: No such file or directory$"):
        project().write(tmp_path / "nowhere")


def test_half_a_project_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, text: str, encoding: str) -> None:
        if path.name == "setup.cfg":
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(DuctTapeError, match=r"cannot be written: No space left on device$"):
        project().write(tmp_path)
    assert list(tmp_path.iterdir()) == []
