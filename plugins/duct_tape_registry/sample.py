"""Sample deliveries, written from the registries' documented schemas, for checks and tests."""

from __future__ import annotations

import hashlib
import json
import zlib
from datetime import datetime
from typing import Any

from duct_tape.api import RawDelivery, Sample
from duct_tape_registry import ghcr


def docker_hub(wanted: Sample) -> RawDelivery:
    """The delivery that Docker Hub would make, to the URL without its secret."""
    namespace, _, name = wanted.repository.partition("/")
    pushed = int(datetime.fromisoformat(wanted.published_at).timestamp())
    payload = {
        "callback_url": f"https://registry.hub.docker.com/u/{wanted.repository}/hook/1/",
        "push_data": {"pushed_at": pushed, "pusher": "octocat", "tag": wanted.tag, "images": []},
        "repository": {
            "name": name,
            "namespace": namespace,
            "owner": namespace,
            "repo_name": wanted.repository,
            "repo_url": f"https://hub.docker.com/r/{wanted.repository}",
            "description": "",
            "full_description": None,
            "is_private": False,
            "status": "Active",
            "date_created": pushed,
        },
    }
    return RawDelivery.build({"Content-Type": "application/json"}, json.dumps(payload).encode("utf-8"))


def github(wanted: Sample) -> RawDelivery:
    """The delivery that GitHub would make, without its signature."""
    owner, _, name = wanted.repository.partition("/")
    user = {"login": owner, "id": _number(owner), "type": "Organization", "html_url": f"https://github.com/{owner}"}
    payload = {
        "action": wanted.action or "published",
        "registry_package": {
            "id": _number(wanted.repository),
            "name": name,
            "namespace": owner,
            "ecosystem": "CONTAINER",
            "package_type": "CONTAINER",
            "html_url": f"https://github.com/{owner}/packages/{_number(wanted.repository)}",
            "created_at": wanted.published_at,
            "updated_at": wanted.published_at,
            "owner": user,
            "package_version": _version(wanted),
            "registry": {"name": "GitHub CONTAINER registry", "type": "CONTAINER"},
        },
        "repository": {"id": _number(name), "name": name, "full_name": wanted.repository, "owner": user},
        "sender": user,
    }
    return ghcr.simulated("registry_package", json.dumps(payload).encode("utf-8"))


def _version(wanted: Sample) -> dict[str, Any]:
    digest = f"sha256:{hashlib.sha256(_bytes(f'{wanted.repository}@{wanted.tag}')).hexdigest()}"
    image = f"ghcr.io/{wanted.repository}:{wanted.tag}"
    return {
        "id": _number(image),
        "version": digest,
        "name": digest,
        "html_url": f"https://github.com/{wanted.repository}/packages/{_number(image)}",
        "target_commitish": "main",
        "created_at": wanted.published_at,
        "updated_at": wanted.published_at,
        "container_metadata": {
            "tag": {"name": wanted.tag, "digest": digest},
            "labels": {"description": "", "source": f"https://github.com/{wanted.repository}", "revision": ""},
            "manifest": {"digest": digest, "media_type": "application/vnd.oci.image.index.v1+json"},
        },
        "package_url": image,
    }


def _number(text: str) -> int:
    return zlib.crc32(_bytes(text))


def _bytes(text: str) -> bytes:
    # A command line in another encoding arrives with half characters.
    return text.encode("utf-8", "surrogatepass")
