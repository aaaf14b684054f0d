"""What the metadata, the entry points and the wheel lack."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.lint_support import GOOD, METADATA, subject

from duct_tape.lint.about import about, core_problem
from duct_tape.lint.contents import contents
from duct_tape.lint.entries import entries


def test_a_good_one(tmp_path: Path) -> None:
    looked_at = subject(tmp_path)
    assert [*about(looked_at), *contents(looked_at), *entries(looked_at)] == []
    assert (looked_at.name, looked_at.version) == ("duct-tape-hello", "1.0.0")


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("Summary: Says hello\n", "metadata-description"),
        ("License-Expression: MIT\n", "metadata-license"),
        ("Requires-Python: >=3.11\n", "metadata-python"),
        ("Requires-Dist: duct-tape-core<2,>=1.0\n", "metadata-core"),
        ("Project-URL: Source, https://example.com\n", "metadata-url"),
        ("\nA plugin.\n", "metadata-readme"),
    ],
)
def test_each_piece_of_metadata_is_missed(tmp_path: Path, line: str, rule: str) -> None:
    assert line in METADATA
    [finding] = about(subject(tmp_path, about=METADATA.replace(line, "")))
    assert finding.rule == rule
    assert finding.hint


def test_everything_is_missed_at_once_and_unknown_is_nothing(tmp_path: Path) -> None:
    text = "Metadata-Version: 2.1\nSummary: UNKNOWN\nLicense: UNKNOWN\nHome-page: UNKNOWN\n\n"
    looked_at = subject(tmp_path, about=text)
    assert len(list(about(looked_at))) == 6
    assert (looked_at.name, looked_at.version) == ("?", "?")


@pytest.mark.parametrize("line", ["License: MIT", "Classifier: License :: OSI Approved :: MIT License"])
def test_older_ways_to_name_a_licence(tmp_path: Path, line: str) -> None:
    assert list(about(subject(tmp_path, about=METADATA.replace("License-Expression: MIT", line)))) == []


@pytest.mark.parametrize(
    "specifier", [">=1.0,<2", "<2,>=1.0", "(>=1,<2)", "~=1.0", "==1.2", "[test]>=1,<2", "> 1, <= 2"]
)
def test_good_bounds(specifier: str) -> None:
    assert core_problem(specifier) == ""


@pytest.mark.parametrize(
    ("specifier", "problem"),
    [
        (None, "it does not depend on duct-tape-core"),
        ("", "it takes every old version"),
        ("<2", "it takes every old version"),
        ("!=1.1", "it takes every old version"),
        (">=1.0", "it takes every future version"),
        (">1", "it takes every future version"),
    ],
)
def test_bad_bounds(specifier: str | None, problem: str) -> None:
    assert core_problem(specifier).startswith(problem)


def test_the_core_in_an_extra_is_no_dependency(tmp_path: Path) -> None:
    text = METADATA.replace("<2,>=1.0", '<2,>=1.0; extra == "server"')
    assert [finding.rule for finding in about(subject(tmp_path, about=text))] == ["metadata-core"]


def test_files_that_are_not_in_the_wheel(tmp_path: Path) -> None:
    files = {"__init__.py": GOOD, "templates/page.html": "", "inner/__init__.py": "", ".hidden": "", "x.pyc": ""}
    files["__pycache__/y.txt"] = ""
    without = ("templates/page.html", "inner/__init__.py", ".hidden", "x.pyc", "__pycache__/y.txt")
    found = list(contents(subject(tmp_path, files, without=without)))
    assert [finding.rule for finding in found] == ["wheel-files", "wheel-files"]
    assert [re.findall(r"`(.*)`", finding.message) for finding in found] == [
        ["duct_tape_hello/inner/__init__.py"], ["duct_tape_hello/templates/page.html"]
    ]  # fmt: skip


def test_the_mark_of_types(tmp_path: Path) -> None:
    looked_at = subject(tmp_path, without=("py.typed",))
    [finding] = contents(looked_at)
    assert (finding.rule, finding.hint) == ("wheel-typed", "name it under `[tool.setuptools.package-data]`")
    (tmp_path / "duct_tape_hello/py.typed").unlink()
    [finding] = contents(looked_at)
    assert (finding.rule, finding.hint) == ("wheel-typed", "put an empty file there")


def test_the_folder_of_a_namespace_needs_no_mark(tmp_path: Path) -> None:
    files = {"inner/__init__.py": "", "inner/py.typed": ""}
    assert list(contents(subject(tmp_path, files, without=("py.typed",)))) == []


def test_what_an_uninstallation_left_behind_has_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subject(tmp_path / "left", about="Metadata-Version: 2.1\n\n")
    monkeypatch.syspath_prepend(str(tmp_path / "left"))
    [finding] = entries(subject(tmp_path))
    assert (finding.rule, finding.message.split()[0]) == ("entry-taken", "?")


def test_names_that_belong_to_everybody(tmp_path: Path) -> None:
    looked_at = subject(tmp_path)
    (tmp_path / "tests").mkdir()
    looked_at = type(looked_at)(
        distribution=looked_at.distribution, places={"tests": tmp_path / "tests"}, files=("tests/py.typed",)
    )
    assert [finding.rule for finding in contents(looked_at)] == ["wheel-names"]


@pytest.mark.parametrize(
    ("text", "rule", "message"),
    [
        ("", "entry-missing", "it has no entry point in the group `duct_tape.plugins`"),
        ("Hello = duct_tape_hello", "entry-name", "`Hello` cannot be a plugin's name"),
        ("hello_world = duct_tape_hello", "entry-name", "`hello_world` cannot be a plugin's name"),
        ("check = duct_tape_hello", "entry-name", "`check` is a command of `duct-tape`"),
        ("github = duct_tape_hello", "entry-taken", "duct-tape-plugins 1.0.0 offers a plugin `github` too"),
    ],
)
def test_entry_points(tmp_path: Path, text: str, rule: str, message: str) -> None:
    [finding] = entries(subject(tmp_path, entries=text))
    assert finding.rule == rule
    assert message in finding.message


def test_the_missing_entry_point_is_spelled_out(tmp_path: Path) -> None:
    [finding] = entries(subject(tmp_path, entries=""))
    assert 'add `[project.entry-points."duct_tape.plugins"]` with `hello = "duct_tape_hello"`' in finding.hint
