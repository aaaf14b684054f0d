"""Each value of a payload, replaced by each kind of value: a decision or 400, and never a wrong deploy."""

from __future__ import annotations

from typing import Any

import pytest
from tests.plugins.bitbucket.conftest import EVENTS, Bitbucket
from tests.senders_support import ABSENT, wrongly_deployed

from duct_tape_bitbucket.receive import Flavour

NULLABLE: tuple[Any, ...] = (None, "x", ABSENT)
TABLE: tuple[Any, ...] = (None, {}, ABSENT)
CLOUD: dict[str, tuple[Any, ...]] = {
    "push": (),
    "push.changes": ([],),
    "push.changes.0": ({}, ABSENT),
    "push.changes.0.old": TABLE,
    "push.changes.0.new": (None, ABSENT),
    "push.changes.0.new.type": ("x",),
    "push.changes.0.new.name": ("x",),
    "push.changes.0.new.target": (),
    "push.changes.0.new.target.hash": (),
    "push.changes.0.new.links": TABLE,
    "push.changes.0.new.links.html": TABLE,
    "push.changes.0.new.links.html.href": NULLABLE,
    "repository": (),
    "repository.full_name": ("x",),
    "actor": TABLE,
    "actor.nickname": NULLABLE,
}
DATA_CENTER: dict[str, tuple[Any, ...]] = {
    "date": (None, ABSENT),
    "changes": ([],),
    "changes.0": (ABSENT,),
    "changes.0.ref": (),
    "changes.0.ref.id": ("x",),
    "changes.0.type": ("x",),
    "changes.0.fromHash": (),
    "changes.0.toHash": (),
    "repository": (),
    "repository.slug": ("x",),
    "repository.project": (),
    "repository.project.key": ("x",),
    "actor": TABLE,
    "actor.name": NULLABLE,
}
DATE = {"push.changes.0.new.date": (None, ABSENT)}


@pytest.mark.parametrize(
    ("flavour", "kind", "read"),
    [
        ("cloud", "tag", CLOUD | DATE),
        ("cloud", "branch", CLOUD),
        ("data-center", "tag", DATA_CENTER),
        ("data-center", "branch", DATA_CENTER),
    ],
)
def test_a_mistyped_value_never_deploys(flavour: Flavour, kind: str, read: dict[str, tuple[Any, ...]]) -> None:
    bitbucket = Bitbucket.of(on=("tag", "branch"), branches=("*",))
    payload = bitbucket.payload(flavour, kind)
    assert bitbucket.told(payload, EVENTS[flavour]) == "v1.0.0"
    assert wrongly_deployed(bitbucket.receiver, payload, EVENTS[flavour], read) == []
