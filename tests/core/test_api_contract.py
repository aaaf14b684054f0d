"""The contract with plugins is written down in api.txt: what changes there changes for somebody.

What is added is fine, and raises the second number of ``API_VERSION``. What changes or vanishes breaks a plugin:
docs/how-to/upgrade-a-plugin.md says what that takes.
"""

from __future__ import annotations

import inspect
import os
from pathlib import Path

from tests.api_support import described, signature
from tests.docs.support import WRITE

from duct_tape import api, testing
from duct_tape.hookspecs import HOOKS, HookSpecs
from duct_tape.testing import fixtures

WRITTEN = Path(__file__).with_name("api.txt")


def contract() -> str:
    """Hooks, names and the test kit."""
    hooks = "\n".join(signature(name, getattr(HookSpecs, name)) for name in HOOKS)
    fixture = signature("ducttape", inspect.unwrap(fixtures.ducttape))
    sections = {
        "the hooks": hooks.replace("(self, ", "(").replace("(self)", "()"),
        "duct_tape.api": described(api),
        "duct_tape.testing": described(testing),
        "the fixture of pytest": fixture,
    }
    return "\n\n".join(f"# {name}\n\n{text}" for name, text in sections.items()) + "\n"


def test_nothing_of_the_contract_has_changed_unnoticed() -> None:
    found = contract()
    if os.environ.get(WRITE):
        WRITTEN.write_text(found, "utf-8")
    known = WRITTEN.read_text("utf-8")
    assert found == known, f"the contract with plugins has changed: {WRITE}=1 scripts/test tests/core writes it anew"
