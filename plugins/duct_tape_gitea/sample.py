"""Sample deliveries, written from Gitea's documented schema."""

from __future__ import annotations

import json
import zlib
from typing import Any

from duct_tape.api import RawDelivery, Sample
from duct_tape_gitea.receive import Flavour, simulated

_ADDRESS = "https://git.example.com"
_NOWHERE = "0" * 40


def sample(wanted: Sample, flavour: Flavour = "gitea") -> RawDelivery:
    """The delivery that tells of a version, unsigned."""
    event, payload = {"tag": _create, "branch": _push}.get(wanted.kind, _release)(wanted)
    user = _user(wanted)
    payload |= {"repository": _repository(wanted, user), "sender": user}
    return simulated(event, json.dumps(payload).encode("utf-8"), flavour)


def _release(wanted: Sample) -> tuple[str, dict[str, Any]]:
    address = f"{_ADDRESS}/{wanted.repository}"
    release = {
        "id": _number(f"{wanted.repository}@{wanted.tag}"),
        "tag_name": wanted.tag,
        "target_commitish": "main",
        "name": f"Release {wanted.tag}",
        "body": "",
        "url": f"{_ADDRESS}/api/v1/repos/{wanted.repository}/releases/1",
        "html_url": f"{address}/releases/tag/{wanted.tag}",
        "tarball_url": f"{address}/archive/{wanted.tag}.tar.gz",
        "zipball_url": f"{address}/archive/{wanted.tag}.zip",
        "draft": False,
        "prerelease": wanted.prerelease,
        "created_at": wanted.published_at,
        "published_at": wanted.published_at,
        "author": _user(wanted),
        "assets": [],
    }
    return "release", {"action": wanted.action or "published", "release": release}


def _create(wanted: Sample) -> tuple[str, dict[str, Any]]:
    return "create", {"ref": wanted.tag, "ref_type": "tag", "sha": _commit(wanted), "default_branch": "main"}


def _push(wanted: Sample) -> tuple[str, dict[str, Any]]:
    address, commit = f"{_ADDRESS}/{wanted.repository}", _commit(wanted)
    person = {"name": "Ada", "email": "ada@example.com", "username": "ada"}
    head = {
        "id": commit,
        "message": "Say hello\n",
        "url": f"{address}/commit/{commit}",
        "author": person,
        "committer": person,
        "timestamp": wanted.published_at,
        "added": [],
        "removed": [],
        "modified": ["README.md"],
    }
    return "push", {
        "ref": f"refs/heads/{wanted.tag}",
        "before": _NOWHERE,
        "after": commit,
        "compare_url": f"{address}/compare/{_NOWHERE}...{commit}",
        "commits": [head],
        "head_commit": head,
        "pusher": _user(wanted),
    }


def _repository(wanted: Sample, owner: dict[str, Any]) -> dict[str, Any]:
    address = f"{_ADDRESS}/{wanted.repository}"
    return {
        "id": _number(wanted.repository),
        "owner": owner,
        "name": wanted.repository.partition("/")[2],
        "full_name": wanted.repository,
        "private": False,
        "html_url": address,
        "ssh_url": f"git@git.example.com:{wanted.repository}.git",
        "clone_url": f"{address}.git",
        "default_branch": "main",
        "updated_at": wanted.published_at,
    }


def _user(wanted: Sample) -> dict[str, Any]:
    login = wanted.repository.partition("/")[0]
    return {"id": _number(login), "login": login, "full_name": "", "email": "ada@example.com", "username": login}


def _commit(wanted: Sample) -> str:
    # Another for another tag or time, and the same for the same.
    return f"{_number(f'{wanted.repository}@{wanted.tag}@{wanted.published_at}'):08x}" * 5


def _number(text: str) -> int:
    # A command line in another encoding arrives with half characters.
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))
