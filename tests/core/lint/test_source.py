"""What is read in the files, without importing them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.lint_support import GOOD, METADATA, subject

from duct_tape.lint.source import elsewhere, modules, promises, undeclared


def found(folder: Path, source: str | dict[str, str], about: str = METADATA) -> list[tuple[str, int, str]]:
    looked_at = subject(folder, source, about=about)
    read = list(modules(looked_at))
    findings = [finding for module in read for finding in module.findings]
    findings += [finding for module in read for finding in undeclared(module, looked_at, always=True)]
    return [(finding.rule, finding.line, finding.message) for finding in findings]


def test_a_good_one(tmp_path: Path) -> None:
    assert found(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("from duct_tape.runs import Run", 1),
        ("import duct_tape.journal", 1),
        ("\ndef f():\n    from duct_tape import assembly", 3),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from duct_tape.web.app import build_app", 3),
        ("from duct_tape.apiary import x", 1),
    ],
)
def test_private_modules(tmp_path: Path, source: str, line: int) -> None:
    [(rule, its_line, message)] = found(tmp_path, source)
    assert (rule, its_line) == ("import-private", line)
    assert "is not part of the API" in message


@pytest.mark.parametrize(
    "source",
    [
        "from duct_tape.api import Run", "from duct_tape import api", "import duct_tape.api as api",
        "from duct_tape.testing import Harness", "from duct_tape import testing", "import duct_tape",
        "from duct_tape import __version__", "from . import inner", "from .duct_tape import inner",
        "import duct_tape_hello.inner", "import sqlite3, json", "import attrs, click, jinja2, starlette.routing, h11",
        "import nothing_of_this_name_is_installed", "def f():\n    import pytest",
        "try:\n    import pytest\nexcept ImportError:\n    pytest = None",
        "try:\n    import pytest\nexcept:\n    pytest = None",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pytest",
        "import typing\nif typing.TYPE_CHECKING:\n    import pytest",
        "if __name__ == '__main__':\n    print(1)", "import sys\nprint(1, file=sys.stderr)", "x.print(1)",
        "# -*- coding: latin-1 -*-",
    ],
)  # fmt: skip
def test_what_is_allowed(tmp_path: Path, source: str) -> None:
    assert found(tmp_path, source) == []


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("import pytest", 1),
        ("\nfrom pytest import raises", 2),
        ("class A:\n    import pytest", 2),
        ("if True:\n    import pytest.mark", 2),
        ("try:\n    import pytest\nfinally:\n    pass", 2),
        ("try:\n    import pytest\nexcept OSError:\n    pass", 2),
    ],
)
def test_imports_that_no_dependency_brings(tmp_path: Path, source: str, line: int) -> None:
    [(rule, its_line, message)] = found(tmp_path, source)
    assert (rule, its_line) == ("import-undeclared", line)
    assert message == "`pytest` is imported, and no dependency brings it: a server does not have it"


def test_a_declared_dependency_is_there(tmp_path: Path) -> None:
    about = METADATA.replace("Project-URL", "Requires-Dist: PyTest >=8\nProject-URL")
    assert found(tmp_path, "import pytest", about) == []


def test_what_an_extra_brings_is_there_only_where_it_is_imported_later(tmp_path: Path) -> None:
    about = METADATA.replace("Project-URL", 'Requires-Dist: pytest>=8; extra == "more"\nProject-URL')
    assert [rule for rule, _, _ in found(tmp_path, "import pytest", about)] == ["import-undeclared"]
    looked_at = subject(tmp_path, "import pytest", about=about)
    [module] = modules(looked_at)
    assert list(undeclared(module, looked_at, always=False)) == []


def test_tests_in_the_package_import_what_they_like(tmp_path: Path) -> None:
    files = {"__init__.py": "", "test_it.py": "import pytest", "tests/helping.py": "import pytest"}
    assert found(tmp_path, files) == []


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("print('x')", 1),
        ("def f():\n    breakpoint()", 2),
        ("\ninput('Go on?')", 2),
        ("import pdb; pdb.set_trace()", 1),
    ],
)
def test_what_was_left_in(tmp_path: Path, source: str, line: int) -> None:
    [(rule, its_line, _)] = found(tmp_path, source)
    assert (rule, its_line) == ("print", line)


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("\ndef f(:", 2),
        ("x = '\x00'", 0),
        ("(" * 500, 1),
        ("# coding: nonsense", 0),
        ("def f():\nreturn", 2),
        ("x = " + "1 + " * 3000 + "1", 0),
    ],
)
def test_what_is_no_python(tmp_path: Path, source: str, line: int) -> None:
    [(rule, its_line, message)] = found(tmp_path, source)
    assert (rule, its_line) == ("syntax", line)
    assert message.startswith("this is no Python 3.")


def test_tests_in_the_package_have_hooks_as_they_like(tmp_path: Path) -> None:
    hooks = "from duct_tape.api import hookimpl\n@hookimpl\ndef ducttape_setup(ctx): ...\n"
    assert list(elsewhere(list(modules(subject(tmp_path, {"__init__.py": "", "test_it.py": hooks}))), set())) == []


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    looked_at = subject(tmp_path)
    (tmp_path / "duct_tape_hello/__init__.py").write_bytes(b"x = '\xff'")
    [module] = modules(looked_at)
    assert [finding.rule for finding in module.findings] == ["syntax"]


def test_hooks_that_nobody_calls(tmp_path: Path) -> None:
    hooks = "from duct_tape.api import hookimpl\nimport duct_tape.api as a\n"
    hooks += "@hookimpl\ndef ducttape_setup(ctx): ...\n@a.hookimpl()\nasync def ducttape_on_run(ctx): ...\n"
    hooks += "def ducttape_check(): ...\nclass A:\n    @hookimpl\n    def ducttape_health(self): ...\n"
    looked_at = subject(tmp_path, {"__init__.py": hooks, "inner.py": hooks})
    read = list(modules(looked_at))
    file = looked_at.shown(tmp_path / "duct_tape_hello/__init__.py")
    called = {(file, "ducttape_setup"), (file, "ducttape_on_run")}
    found = [(finding.file.rpartition("/")[2], finding.line, finding.rule) for finding in elsewhere(read, called)]
    assert found == [("inner.py", 4, "hook-elsewhere"), ("inner.py", 6, "hook-elsewhere")]


def test_what_is_promised_is_all_that_the_core_needs_and_its_needs(tmp_path: Path) -> None:
    found = promises(subject(tmp_path))
    assert {"duct-tape-core", "duct-tape-hello", "attrs", "starlette", "anyio"} <= found
    assert "pytest" not in found


def test_paths_are_shown_from_where_the_author_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = subject(tmp_path)
    file = tmp_path / "duct_tape_hello/__init__.py"
    assert looked_at.shown(file) == "duct_tape_hello/__init__.py"
    monkeypatch.chdir(tmp_path / "duct_tape_hello")
    assert looked_at.shown(str(file)) == "__init__.py"
    assert looked_at.shown("/etc/hostname") == "/etc/hostname"
