"""Sample deliveries, written from GitLab's documented schema, for checks and tests."""

from __future__ import annotations

import hashlib
import json
import uuid
import zlib
from typing import Any

from duct_tape.api import RawDelivery, Sample

_BEFORE = "0" * 40


def sample(wanted: Sample) -> RawDelivery:
    """The delivery that GitLab would make, without token and signature."""
    title, make = _KINDS.get(wanted.kind, _KINDS["release"])
    headers = {
        "Content-Type": "application/json",
        "X-Gitlab-Event": title,
        "Idempotency-Key": str(uuid.uuid4()),
    }
    payload = {**make(wanted), "project": _project(wanted.repository)}
    return RawDelivery.build(headers, json.dumps(payload).encode("utf-8"))


def _release(wanted: Sample) -> dict[str, Any]:
    return {
        "object_kind": "release",
        "action": wanted.action or "create",
        "id": _number(wanted),
        "tag": wanted.tag,
        "name": f"Release {wanted.tag}",
        "description": "",
        "created_at": _time(wanted),
        "released_at": _time(wanted),
        "url": f"{_address(wanted.repository)}/-/releases/{wanted.tag}",
        "assets": {"count": 0, "links": [], "sources": []},
        "commit": _commit(wanted),
    }


def _tag(wanted: Sample) -> dict[str, Any]:
    return _push(wanted, "tag_push", f"refs/tags/{wanted.tag}")


def _branch(wanted: Sample) -> dict[str, Any]:
    return _push(wanted, "push", f"refs/heads/{wanted.tag}")


def _push(wanted: Sample, kind: str, ref: str) -> dict[str, Any]:
    return {
        "object_kind": kind,
        "event_name": kind,
        "before": _BEFORE,
        "after": _sha(wanted),
        "ref": ref,
        "checkout_sha": _sha(wanted),
        "user_id": 1,
        "user_name": "Octo Cat",
        "user_username": "octocat",
        "project_id": _number(wanted),
        "commits": [_commit(wanted)],
        "total_commits_count": 1,
    }


def _pipeline(wanted: Sample) -> dict[str, Any]:
    return {
        "object_kind": "pipeline",
        "object_attributes": {
            "id": _number(wanted),
            "iid": 1,
            "name": None,
            "ref": wanted.tag,
            "tag": False,
            "sha": _sha(wanted),
            "before_sha": _BEFORE,
            "source": "push",
            "status": wanted.action or "success",
            "stages": ["build", "test"],
            "created_at": _time(wanted),
            "finished_at": _time(wanted),
            "url": f"{_address(wanted.repository)}/-/pipelines/{_number(wanted)}",
        },
        "merge_request": None,
        "user": {"id": 1, "name": "Octo Cat", "username": "octocat"},
        "commit": _commit(wanted),
    }


def _project(path: str) -> dict[str, Any]:
    return {
        "id": zlib.crc32(path.encode("utf-8", "surrogatepass")),
        "name": path.rpartition("/")[2],
        "web_url": _address(path),
        "git_http_url": f"{_address(path)}.git",
        "namespace": path.rpartition("/")[0],
        "path_with_namespace": path,
        "default_branch": "main",
    }


def _commit(wanted: Sample) -> dict[str, Any]:
    return {
        "id": _sha(wanted),
        "message": f"Release {wanted.tag}\n",
        "timestamp": wanted.published_at,
        "url": f"{_address(wanted.repository)}/-/commit/{_sha(wanted)}",
        "author": {"name": "Octo Cat"},
    }


def _address(path: str) -> str:
    return f"https://gitlab.com/{path}"


def _time(wanted: Sample) -> str:
    return wanted.published_at.replace("T", " ").replace("Z", " UTC")


def _sha(wanted: Sample) -> str:
    return hashlib.sha256(_text(wanted)).hexdigest()[:40]


def _number(wanted: Sample) -> int:
    return zlib.crc32(_text(wanted))


def _text(wanted: Sample) -> bytes:
    # A command line in another encoding arrives with half characters.
    return f"{wanted.repository}@{wanted.tag}".encode("utf-8", "surrogatepass")


_KINDS = {
    "release": ("Release Hook", _release),
    "tag": ("Tag Push Hook", _tag),
    "branch": ("Push Hook", _branch),
    "build": ("Pipeline Hook", _pipeline),
}
