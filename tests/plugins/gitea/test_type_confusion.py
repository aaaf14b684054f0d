"""Each value of a payload, replaced by each kind of value: a decision or 400, and never a wrong deploy."""

from __future__ import annotations

from typing import Any

import pytest
from tests.plugins.gitea.conftest import Gitea
from tests.senders_support import ABSENT, wrongly_deployed

NULLABLE: tuple[Any, ...] = (None, "x", ABSENT)
READ: dict[str, dict[str, tuple[Any, ...]]] = {
    "release": {
        "action": ("x",),
        "release": (),
        "release.id": (0,),
        "release.tag_name": ("x",),
        "release.name": NULLABLE,
        "release.prerelease": (True,),
        "release.draft": (True,),
        "release.html_url": NULLABLE,
        "release.target_commitish": NULLABLE,
        "release.published_at": (None, ABSENT),
        "release.created_at": (None, ABSENT),
        "release.author": (None, {}, ABSENT),
        "release.author.login": NULLABLE,
        "repository": (),
        "repository.full_name": ("x",),
    },
    "create": {
        "ref": ("x",),
        "ref_type": ("x",),
        "sha": (),
        "repository": (),
        "repository.full_name": ("x",),
        "sender": (None, {}, ABSENT),
        "sender.login": NULLABLE,
    },
    "push": {
        "ref": ("x",),
        "before": (),
        "after": (),
        "compare_url": NULLABLE,
        "repository": (),
        "repository.full_name": ("x",),
        "repository.updated_at": (None, ABSENT),
        "pusher": (None, {}, ABSENT),
        "pusher.login": NULLABLE,
    },
}
KINDS = {"release": "release", "create": "tag", "push": "branch"}


@pytest.mark.parametrize("event", READ)
def test_a_mistyped_value_never_deploys(event: str) -> None:
    gitea = Gitea.of(on=("release", "tag", "branch"), branches=("*",))
    payload = gitea.payload(KINDS[event])
    assert gitea.told(payload, event) == "v1.0.0"
    assert wrongly_deployed(gitea.receiver, payload, event, READ[event]) == []


@pytest.mark.parametrize("value", ["false", "true", "0", 0, 1, [False], {"value": False}])
@pytest.mark.parametrize("field", ["draft", "prerelease"])
def test_only_true_and_false_are_true_and_false(gitea: Gitea, field: str, value: Any) -> None:
    assert gitea.told(gitea.payload(**{field: value})) == "malformed"
