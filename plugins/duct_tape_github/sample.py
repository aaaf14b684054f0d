"""Sample payloads, written from GitHub's documented schema, for checks, simulations and tests."""

from __future__ import annotations

import zlib
from typing import Any


def release_payload(
    repository: str,
    *,
    tag: str = "v1.0.0",
    action: str = "published",
    prerelease: bool = False,
    draft: bool = False,
    release_id: int | None = None,
    published_at: str | None = "2026-01-02T03:04:05Z",
    updated_at: str | None = None,
) -> dict[str, Any]:
    """The payload of a ``release`` event.

    :param release_id: by default made from repository and tag, so that the same release has the same id.
    :param updated_at: by default ``published_at``; it is later where a prerelease was promoted.
    """
    owner, _, name = repository.partition("/")
    address = f"https://github.com/{repository}"
    user = {"login": owner, "id": _number(owner), "type": "User", "html_url": f"https://github.com/{owner}"}
    return {
        "action": action,
        "release": {
            "id": _number(f"{repository}@{tag}") if release_id is None else release_id,
            "tag_name": tag,
            "target_commitish": "main",
            "name": f"Release {tag}",
            "body": "",
            "draft": draft,
            "prerelease": prerelease,
            "created_at": published_at,
            "published_at": None if draft else published_at,
            "updated_at": updated_at or published_at,
            "html_url": f"{address}/releases/tag/{tag}",
            "assets": [],
            "author": user,
        },
        "repository": {
            "id": _number(repository),
            "name": name,
            "full_name": repository,
            "private": False,
            "html_url": address,
            "default_branch": "main",
            "owner": user,
        },
        "sender": user,
    }


def ping_payload(repository: str, events: tuple[str, ...] = ("release",)) -> dict[str, Any]:
    """The payload of a ``ping`` event."""
    return {
        "zen": "Keep it logically awesome.",
        "hook_id": 1,
        "hook": {
            "type": "Repository",
            "id": 1,
            "active": True,
            "events": list(events),
            "config": {"content_type": "json", "insecure_ssl": "0", "url": "https://hooks.example.com/"},
        },
        "repository": release_payload(repository)["repository"],
    }


def _number(text: str) -> int:
    # A command line in another encoding arrives with half characters.
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))
