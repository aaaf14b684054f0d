"""Payloads with one value too few of the right type: what is read of a release, and what may stand in its place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import Any, TypeAlias

Place: TypeAlias = tuple[str | int, ...]
PAYLOADS = Path(__file__).parents[2] / "shared" / "payloads"
# Of releases that are deployed, where the repository is configured.
REAL = (
    "github-ghes-3.5/octokit-webhooks/release/published.json",
    "github/drone-go-scm/release_published.json",
    "github/drone-go-scm/release_released.json",
    "github/go-playground-webhooks/release.json",
    "github/octokit-webhooks/release/published.payload.json",
    "github/octokit-webhooks/release/published.with-discussion-url.payload.json",
    "github/octokit-webhooks/release/released.json",
)
VALUES: tuple[Any, ...] = (None, True, False, 0, -1, 10**30, 1.5, "x", "", "false", [], ["x"], {}, {"x": 1})
# What is read of a release, and of which types it may be. Of times the other texts above are none.
TYPES: dict[Place, tuple[type, ...]] = {
    ("action",): (str,),
    ("release",): (dict,),
    ("release", "id"): (int,),
    ("release", "tag_name"): (str,),
    ("release", "name"): (str, NoneType),
    ("release", "prerelease"): (bool,),
    ("release", "draft"): (bool,),
    ("release", "html_url"): (str, NoneType),
    ("release", "target_commitish"): (str, NoneType),
    ("release", "published_at"): (NoneType,),
    ("release", "author"): (dict, NoneType),
    ("release", "author", "login"): (str, NoneType),
    ("repository",): (dict,),
    ("repository", "id"): (int,),
    ("repository", "full_name"): (str,),
}
# Read of a promotion only.
PROMOTED: dict[Place, tuple[type, ...]] = {("release", "updated_at"): (NoneType,)}


def places(value: Any, above: Place = ()) -> Iterator[Place]:
    """Every place in a payload at every depth, leaves, lists and objects."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in pairs:
        yield (*above, key)
        yield from places(item, (*above, key))


def replaced(payload: dict[str, Any], place: Place, value: Any) -> dict[str, Any]:
    """A copy with another value at this place."""
    copy: Any = json.loads(json.dumps(payload))
    *parents, last = place
    table = copy
    for key in parents:
        table = table[key]
    table[last] = value
    result: dict[str, Any] = copy
    return result


def confused(payload: dict[str, Any]) -> Iterator[tuple[Place, Any, str]]:
    """Every place with every value, and what is known of that: ``mistyped``, ``typed`` or ``unread``."""
    read = TYPES | (PROMOTED if payload["action"] == "released" else {})
    for place in places(payload):
        for value in VALUES:
            types = read.get(place)
            yield place, value, "unread" if types is None else "typed" if type(value) in types else "mistyped"
