"""The pytest plugin: one fixture, ``ducttape``. pytest finds it by itself where duct-tape-core is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from duct_tape.testing.harness import Harness


@pytest.fixture
def ducttape(tmp_path: Path) -> Iterator[Callable[..., Harness]]:
    """Starts servers that are stopped after the test: ``harness = ducttape(configuration, plugins={…})``.

    The arguments are those of ``duct_tape.testing.Harness`` but for the folder, which is ``tmp_path``.
    """
    from duct_tape.testing.harness import Harness

    with ExitStack() as stack:

        def start(configuration: str, **arguments: Any) -> Harness:
            return stack.enter_context(Harness(tmp_path, configuration, **arguments))

        yield start
