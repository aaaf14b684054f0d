"""The test kit for plugins: a whole server in a test.

With the pytest fixture ``ducttape`` (see ``duct_tape.testing.fixtures``) or with ``Harness`` itself. Needs
the package ``httpx2``, which the extra ``test`` installs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duct_tape.sample import Sample
    from duct_tape.testing.clock import FakeClock
    from duct_tape.testing.harness import Harness

__all__ = ["FakeClock", "Harness", "Sample"]


def __getattr__(name: str) -> Any:
    # Lazily, since pytest imports this package at every start, also where nobody tests a plugin.
    if name == "Harness":
        from duct_tape.testing.harness import Harness

        return Harness
    if name == "FakeClock":
        from duct_tape.testing.clock import FakeClock

        return FakeClock
    if name == "Sample":
        from duct_tape.sample import Sample

        return Sample
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
