"""Sample deliveries, written from Atlassian's documented schema."""

from __future__ import annotations

import json
import zlib
from typing import Any

from duct_tape.api import RawDelivery, Sample
from duct_tape_bitbucket.receive import PUSH, REFS_CHANGED, Flavour, simulated

_NOWHERE = "0" * 40


def sample(wanted: Sample, flavour: Flavour = "cloud") -> RawDelivery:
    """The delivery that tells of a tag or a branch, unsigned."""
    event, payload = (PUSH, _cloud(wanted)) if flavour == "cloud" else (REFS_CHANGED, _data_center(wanted))
    return simulated(event, json.dumps(payload).encode("utf-8"))


def _cloud(wanted: Sample) -> dict[str, Any]:
    kind, commit = _kind(wanted), _commit(wanted)
    address = f"https://bitbucket.org/{wanted.repository}"
    target = {
        "type": "commit",
        "hash": commit,
        "date": wanted.published_at,
        "message": "Say hello\n",
        "author": {"type": "author", "raw": "Ada <ada@example.com>"},
        "parents": [],
        "links": {"html": {"href": f"{address}/commits/{commit}"}},
    }
    new: dict[str, Any] = {
        "type": kind,
        "name": wanted.tag,
        "target": target,
        "links": {"html": {"href": f"{address}/commits/tag/{wanted.tag}"}},
    }
    if kind == "tag":
        new |= {"date": wanted.published_at, "message": "Hello\n", "tagger": None}
    change = {"new": new, "old": None, "created": True, "closed": False, "forced": False, "truncated": False}
    return {
        "push": {"changes": [change]},
        "repository": {
            "type": "repository",
            "name": wanted.repository.partition("/")[2],
            "full_name": wanted.repository,
            "uuid": "{bc771cbf-829e-4c4b-b71f-a0eb3ac2b860}",
            "is_private": True,
            "scm": "git",
            "links": {"html": {"href": address}},
        },
        "actor": {"type": "user", "display_name": "Ada", "nickname": "ada"},
    }


def _data_center(wanted: Sample) -> dict[str, Any]:
    kind, (project, _, slug) = _kind(wanted), wanted.repository.partition("/")
    ref = f"refs/{'tags' if kind == 'tag' else 'heads'}/{wanted.tag}"
    change = {
        "ref": {"id": ref, "displayId": wanted.tag, "type": kind.upper()},
        "refId": ref,
        "fromHash": _NOWHERE,
        "toHash": _commit(wanted),
        "type": "ADD",
    }
    return {
        "eventKey": REFS_CHANGED,
        "date": wanted.published_at.replace("Z", "+0000"),
        "actor": {"name": "ada", "displayName": "Ada", "slug": "ada", "id": 1, "active": True, "type": "NORMAL"},
        "repository": {
            "slug": slug,
            "name": slug,
            "id": 1,
            "scmId": "git",
            "public": False,
            "project": {"key": project, "name": project, "id": 2, "type": "NORMAL"},
        },
        "changes": [change],
    }


def _kind(wanted: Sample) -> str:
    return "branch" if wanted.kind == "branch" else "tag"


def _commit(wanted: Sample) -> str:
    # Another for another name or time, and the same for the same. A command line may arrive with half characters.
    text = f"{wanted.repository}@{wanted.tag}@{wanted.published_at}"
    return f"{zlib.crc32(text.encode('utf-8', 'surrogatepass')):08x}" * 5
