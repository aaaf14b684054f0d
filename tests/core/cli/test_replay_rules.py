"""``duct-tape deliveries replay`` where the configuration says what a delivery means."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from duct_tape.api import Event
from duct_tape.journal.sqlite import SQLiteJournal

Cli = Callable[..., Any]
Configure = Callable[..., Path]

CONFIGURATION = """
[triggers.deploy]
action = "touch-file"
[plugins.touch-file]
[plugins.ci]
use = "webhook"
secrets = [{ env = "HOOK_SECRET" }]
triggers = ["deploy"]
token = { header = "X-Token" }
[plugins.ci.rules.shop]
application = "shop"
version = "{{ payload.version }}"
"""
BLOG = '[plugins.ci.rules.blog]\napplication = "blog"\nversion = "{{ payload.version }}"\n'


def test_an_ignored_delivery_is_read_by_todays_rules(cli: Cli, configure: Configure) -> None:
    async def ignored() -> None:
        store = SQLiteJournal(Path("var/journal.sqlite3"))
        store.ignore("ci", Event(name="webhook", delivery="d-1", payload={"version": "v1"}), "no rule is configured")
        await store.close()

    configure(CONFIGURATION.replace("payload.version", "payload.tag"))
    asyncio.run(ignored())
    ended = cli("deliveries", "replay", "d-1")
    assert (ended.code, ended.err) == (1, "")
    assert ended.out.startswith("ci: ignored: rule `shop`: `version` cannot be made")
    configure(CONFIGURATION + BLOG)
    ended = cli("deliveries", "replay", "d-1")
    assert (ended.code, ended.err) == (0, "")
    first, second = ended.out.splitlines()
    assert "is accepted for shop, by trigger deploy" in first
    assert "is accepted for blog, by trigger deploy" in second
    again = cli("deliveries", "replay", "d-1/2")
    assert (again.code, "did this already" in again.out) == (1, True)
