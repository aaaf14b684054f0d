"""Where something is; and that nothing is asked too much."""

from __future__ import annotations

import functools
from pathlib import Path
from types import ModuleType

import attrs
import pytest
from tests.lint_support import module

from duct_tape.lint import places
from duct_tape.lint.places import NOWHERE


def test_classes_and_their_keys(tmp_path: Path) -> None:
    made = module(tmp_path, "class A:\n    x: int = 1\n    y = 2\n    z, w = 3, 4\n")
    file = str(made.__file__)
    lines = [places.of_class(made.A, key) for key in ("", "x", "y", "missing")]
    assert lines == [(file, 1), (file, 2), (file, 3), (file, 1)]


def test_variables(tmp_path: Path) -> None:
    made = module(tmp_path, "import os\nx = y = 1\nz: int = 2\n")
    assert [places.of_variable(made, name)[1] for name in ("x", "y", "z", "missing")] == [2, 2, 3, 1]
    assert places.of_variable(ModuleType("nowhere"), "x") == NOWHERE


def test_what_has_no_place() -> None:
    assert places.of_function(print) == NOWHERE
    assert places.of_function(functools.partial(print)) == NOWHERE
    assert places.of_class(int) == NOWHERE
    assert places.of_class(attrs.make_class("Made", []))[1] == 0


def test_a_file_that_was_changed_since_or_is_gone(tmp_path: Path) -> None:
    made = module(tmp_path, "def f(): ...\nclass A: ...\n")
    file = Path(str(made.__file__))
    file.write_text("def f(:\n")
    assert places.of_function(made.f) == (str(file), 1)
    assert places.of_class(made.A) == (str(file), 0)
    file.unlink()
    assert places.of_function(made.f) == (str(file), 1)


def test_the_innermost_line_of_the_plugin(tmp_path: Path) -> None:
    made = module(tmp_path, "import json\n\ndef f():\n    json.loads(5)\n")
    with pytest.raises(TypeError) as raised:
        made.f()
    assert places.of_traceback(raised.value.__traceback__, (str(tmp_path),)) == (made.__file__, 4)
    assert places.of_traceback(raised.value.__traceback__, ("/nowhere",)) == NOWHERE
