"""The test kit for plugins: a whole server in a test.

With the pytest fixture ``ducttape`` (see ``duct_tape.testing.fixtures``) or with ``Harness`` itself. Needs
the package ``httpx2``, which the extra ``test`` installs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duct_tape.testing.harness import Harness

__all__ = ["Harness"]


def __getattr__(name: str) -> Any:
    # Lazily, since pytest imports this package at every start, also where nobody tests a plugin.
    if name == "Harness":
        from duct_tape.testing.harness import Harness

        return Harness
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
