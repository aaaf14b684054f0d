"""Hooks that fail, in the two ways in which a plugin does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from duct_tape.api import PluginError
from duct_tape.testing import Harness

Start = Callable[..., Harness]
Failure = Callable[..., Any]


def raises(*_: object, **__: object) -> NoReturn:
    raise ValueError("broken")


def refuses(*_: object, **__: object) -> NoReturn:
    raise PluginError("the folder /x is missing")


def with_ctx(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda ctx: function(ctx)


FAILURES = pytest.mark.parametrize(
    ("failure", "text"), [(raises, "ValueError: broken"), (refuses, "the folder /x is missing")]
)
