"""Where in its file something is that was imported."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias

# A file, and a line counted from 1; both empty for what has no place.
Place: TypeAlias = tuple[str, int]
NOWHERE: Place = ("", 0)


def of_function(function: Callable[..., Any]) -> Place:
    """Where the function is defined, below its decorators."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return NOWHERE
    first = code.co_firstlineno
    for node in ast.walk(_tree(code.co_filename)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = [node.lineno, *(decorator.lineno for decorator in node.decorator_list)]
            if min(lines) == first and node.name == code.co_name:
                return code.co_filename, node.lineno
    return code.co_filename, first


def of_class(cls: type, key: str = "") -> Place:
    """Where the class is defined, or one of its keys."""
    try:
        file = inspect.getfile(cls)
    except (TypeError, OSError):
        return NOWHERE
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.ClassDef) and node.name == cls.__name__:
            lines = [item.lineno for item in node.body if key and _names(item, key)]
            return file, (lines or [node.lineno])[0]
    return file, 0


def of_variable(module: Any, name: str) -> Place:
    """Where the module sets a variable, or its beginning."""
    file = getattr(module, "__file__", None)
    if not file:
        return NOWHERE
    lines = [node.lineno for node in _tree(file).body if _names(node, name)]
    return file, (lines or [1])[0]


def of_traceback(traceback: TracebackType | None, folders: tuple[str, ...]) -> Place:
    """The innermost line of these folders."""
    found = NOWHERE
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if any(Path(file).is_relative_to(folder) for folder in folders):
            found = (file, traceback.tb_lineno)
        traceback = traceback.tb_next
    return found


def _tree(file: str) -> ast.Module:
    try:
        return ast.parse(Path(file).read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        # Made at run time, or changed since.
        return ast.Module([], [])


def _names(node: ast.stmt, name: str) -> bool:
    if isinstance(node, ast.AnnAssign):
        return isinstance(node.target, ast.Name) and node.target.id == name
    return isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == name for to in node.targets)
