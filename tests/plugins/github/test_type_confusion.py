"""Each leaf of a release, replaced by each kind of value: a decision or MalformedError, and never a wrong deploy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.senders_support import ABSENT, VALUES, paths, replaced, same

from duct_tape.api import Ignored, MalformedError, Runs
from duct_tape_github import receive

if TYPE_CHECKING:
    from tests.plugins.github.conftest import GitHub

# What is read of a release, and the values among the above with which it is still well-formed.
READ: dict[str, tuple[Any, ...]] = {
    "action": ("x",),
    "release": (),
    "release.id": (0,),
    "release.tag_name": ("x",),
    "release.name": (None, "x", ABSENT),
    "release.prerelease": (True,),
    "release.draft": (True,),
    "release.html_url": (None, "x", ABSENT),
    "release.target_commitish": (None, "x", ABSENT),
    "release.published_at": (None, ABSENT),
    "release.updated_at": (None, ABSENT),
    "release.author": (None, {}, ABSENT),
    "release.author.login": (None, "x", ABSENT),
    "repository": (),
    "repository.id": (0,),
    "repository.full_name": ("x",),
}
# With these it is well-formed, and not to be deployed.
IGNORED = {("action", "x"), ("release.prerelease", True), ("release.draft", True), ("repository.full_name", "x")}


def outcome(github: GitHub, payload: dict[str, Any]) -> str:
    try:
        return type(github.decide(payload)).__name__
    except MalformedError:
        return "MalformedError"


@pytest.mark.parametrize("action", ["published", "released"])
@pytest.mark.parametrize("value", VALUES, ids=lambda value: "absent" if value is ABSENT else repr(value))
@pytest.mark.parametrize("path", READ)
def test_a_mistyped_field_never_deploys(github: GitHub, path: str, value: Any, action: str) -> None:
    found = outcome(github, replaced(github.release(action=action), path, value))
    if (path, action) == ("release.updated_at", "published"):
        assert found == Runs.__name__  # Only a promotion's is read.
    elif not any(same(value, good) for good in READ[path]):
        assert found == MalformedError.__name__
    else:
        ignored = any(path == other and same(value, wrong) for other, wrong in IGNORED)
        assert found == (Ignored if ignored else Runs).__name__


def test_what_is_not_read_may_be_anything(github: GitHub) -> None:
    payload = github.release(action="released")
    others = [path for path in paths(payload) if path not in READ]
    assert others
    for path in others:
        for value in (*VALUES, ABSENT):
            assert outcome(github, replaced(payload, path, value)) == Runs.__name__, (path, value)


def test_the_sample_has_everything_that_is_read(github: GitHub) -> None:
    assert set(READ) <= set(paths(github.release()))


@pytest.mark.parametrize("value", ["false", "true", "0", 0, 1, [False], {"value": False}])
@pytest.mark.parametrize("field", ["draft", "prerelease"])
def test_only_true_and_false_are_true_and_false(github: GitHub, field: str, value: Any) -> None:
    assert outcome(github, replaced(github.release(), f"release.{field}", value)) == MalformedError.__name__


@pytest.mark.parametrize("body", [b"[]", b"null", b"1", b'"x"', b"", b"{", b"\xff", b"[" * 100_000, b'{"a":1,"a":2}'])
def test_whatever_is_no_object_is_malformed(github: GitHub, body: bytes) -> None:
    for event in ("release", "ping", "star"):
        with pytest.raises(MalformedError):
            receive.parse(receive.simulated(event, body))
