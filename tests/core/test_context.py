"""The context of a plugin's hooks."""

from __future__ import annotations

import logging
from pathlib import Path

from duct_tape.context import Context
from duct_tape.volume import Volume


def test_the_configuration_is_not_in_the_representation() -> None:
    context = Context(
        name="gh",
        plugin="github",
        prefix="/integrations/gh",
        config="the secret",
        log=logging.getLogger("gh"),
        volume=Volume(Path("/volume")),
        url="http://127.0.0.1:9000",
        preview=lambda planned, event: {},
    )
    assert "secret" not in repr(context)
    assert "/integrations/gh" in repr(context)
