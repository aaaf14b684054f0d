"""Sample payloads, written from GitHub's documented schema, for checks, simulations and tests."""

from __future__ import annotations

import zlib
from datetime import datetime
from typing import Any

from duct_tape.api import Sample

COMMIT = "6dcb09b5b57875f334f61aebed695e2e4193db5e"

_FOLDERS = {"tag": "refs/tags/", "branch": "refs/heads/"}


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
    address = f"https://github.com/{repository}"
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
            "author": _user(repository),
        },
        **_surroundings(repository),
    }


def push_payload(
    repository: str, *, ref: str = "refs/heads/main", commit: str = COMMIT, pushed_at: str = "2026-01-02T03:04:05Z"
) -> dict[str, Any]:
    """The payload of a ``push`` event.

    :param ref: ``refs/heads/…`` for a branch, ``refs/tags/…`` for a tag.
    """
    address = f"https://github.com/{repository}"
    person = {"name": "octocat", "email": "octocat@example.com", "username": "octocat"}
    head = {
        "id": commit,
        "tree_id": "0123456789012345678901234567890123456789",
        "distinct": True,
        "message": "Make it better",
        "timestamp": pushed_at,
        "url": f"{address}/commit/{commit}",
        "author": person,
        "committer": person,
        "added": [],
        "removed": [],
        "modified": ["README.md"],
    }
    payload = {
        "ref": ref,
        "before": "1" * 40,
        "after": commit,
        "created": False,
        "deleted": False,
        "forced": False,
        "base_ref": None,
        "compare": f"{address}/compare/111111111111...{commit[:12]}",
        "commits": [head],
        "head_commit": head,
        "pusher": {"name": "octocat", "email": "octocat@example.com"},
        **_surroundings(repository),
    }
    payload["repository"]["pushed_at"] = int(datetime.fromisoformat(pushed_at).timestamp())
    return payload


def package_payload(
    repository: str,
    *,
    tag: str = "v1.0.0",
    action: str = "published",
    event: str = "package",
    digest: str | None = None,
    updated_at: str = "2026-01-02T03:04:05Z",
) -> dict[str, Any]:
    """The payload of a ``package`` event, of an image that is connected to the repository.

    :param event: ``package``, or ``registry_package`` for the same in the other event.
    :param digest: by default made from repository and tag.
    """
    owner, _, name = repository.partition("/")
    digest = digest or f"sha256:{_number(f'{repository}:{tag}'):064x}"
    address = f"https://github.com/{owner}/{name}/pkgs/container/{name}"
    version = {
        "id": _number(digest),
        "version": digest,
        "name": digest,
        "description": "",
        "target_commitish": "main",
        "target_oid": COMMIT,
        "created_at": "0001-01-01T00:00:00Z",
        "updated_at": "0001-01-01T00:00:00Z",
        "html_url": f"{address}/1",
        "container_metadata": {
            "tag": {"name": tag, "digest": digest},
            "labels": {"description": "", "source": f"https://github.com/{repository}", "revision": COMMIT},
            "manifest": {"digest": digest, "media_type": "application/vnd.oci.image.index.v1+json", "size": 1782},
        },
        "package_url": f"ghcr.io/{repository}:{tag}",
    }
    package = {
        "id": _number(f"image of {repository}"),
        "name": name,
        "namespace": owner,
        "ecosystem": "CONTAINER",
        "package_type": "CONTAINER",
        "html_url": address,
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": updated_at,
        "owner": _user(repository),
        "package_version": version,
        "registry": {"name": "GitHub CONTAINER registry", "type": "CONTAINER", "vendor": "GitHub Inc"},
    }
    return {"action": action, event: package, **_surroundings(repository)}


def workflow_run_payload(
    repository: str,
    *,
    branch: str = "main",
    workflow: str = "CI",
    action: str = "completed",
    event: str = "push",
    conclusion: str | None = "success",
    run_id: int = 1,
    attempt: int = 1,
    created_at: str = "2026-01-02T03:04:05Z",
) -> dict[str, Any]:
    """The payload of a ``workflow_run`` event.

    :param event: what the workflow ran because of.
    """
    around = _surroundings(repository)
    shared = {key: around["repository"][key] for key in ("id", "name", "full_name", "owner", "html_url")}
    return {
        "action": action,
        "workflow_run": {
            "id": run_id,
            "name": workflow,
            "display_title": "Make it better",
            "path": ".github/workflows/ci.yml",
            "head_branch": branch,
            "head_sha": COMMIT,
            "run_number": 7,
            "run_attempt": attempt,
            "event": event,
            "status": "completed",
            "conclusion": conclusion,
            "workflow_id": 3,
            "html_url": f"https://github.com/{repository}/actions/runs/{run_id}",
            "pull_requests": [],
            "created_at": created_at,
            "updated_at": created_at,
            "run_started_at": created_at,
            "actor": _user(repository),
            "head_commit": {"id": COMMIT, "message": "Make it better", "timestamp": created_at},
            "repository": shared,
            "head_repository": {**shared, "fork": False},
        },
        "workflow": {"id": 3, "name": workflow, "path": ".github/workflows/ci.yml", "state": "active"},
        **around,
    }


def payload_of(sample: Sample, workflow: str = "CI") -> tuple[str, dict[str, Any]]:
    """Event and payload of a sample.

    :param workflow: the name of the workflow whose run is a build.
    """
    event, payload = _deployable(sample, workflow)
    if sample.action and "action" in payload:
        payload["action"] = sample.action
    return event, payload


def _deployable(sample: Sample, workflow: str) -> tuple[str, dict[str, Any]]:
    name, tag, when = sample.repository, sample.tag, sample.published_at
    if sample.kind in _FOLDERS:
        return "push", push_payload(name, ref=f"{_FOLDERS[sample.kind]}{tag}", pushed_at=when)
    if sample.kind == "package":
        return "package", package_payload(name, tag=tag, updated_at=when)
    if sample.kind == "build":
        # Of the same branch at the same time there is one run.
        run = _number(f"{name}@{tag}@{when}")
        return "workflow_run", workflow_run_payload(name, branch=tag, workflow=workflow, run_id=run, created_at=when)
    return "release", release_payload(name, tag=tag, prerelease=sample.prerelease, published_at=when)


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
        "repository": _surroundings(repository)["repository"],
    }


def _surroundings(repository: str) -> dict[str, Any]:
    """What every event has."""
    return {
        "repository": {
            "id": _number(repository),
            "name": repository.partition("/")[2],
            "full_name": repository,
            "private": False,
            "html_url": f"https://github.com/{repository}",
            "default_branch": "main",
            "owner": _user(repository),
        },
        "sender": _user(repository),
    }


def _user(repository: str) -> dict[str, Any]:
    owner = repository.partition("/")[0]
    return {"login": owner, "id": _number(owner), "type": "User", "html_url": f"https://github.com/{owner}"}


def _number(text: str) -> int:
    # A command line in another encoding arrives with half characters.
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))
