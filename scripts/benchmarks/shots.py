"""The deliveries of a benchmark: releases as large as GitHub's, signed before anything is measured."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any

from attrs import frozen

from signing import github_signature

SECRET = b"only for this measurement"
ASSETS = 20


@frozen
class Shot:
    """One delivery, ready to be written to a socket.

    :param flag: the name of the file that comes of it.
    """

    request: bytes
    application: str
    number: int
    flag: str


def shots(count: int, applications: Sequence[str], path: str) -> list[Shot]:
    """Releases of several applications in turn, each newer than the last.

    :param path: of the webhook; ``{application}`` in it is filled in.
    """
    return [_shot(number, applications[number % len(applications)], path) for number in range(count)]


def repository(application: str) -> str:
    return f"acme/{application}"


def _shot(number: int, application: str, path: str) -> Shot:
    tag = f"v1.{number}.0"
    body = json.dumps(release(application, tag, number)).encode()
    lines = [
        f"POST {path.format(application=application)} HTTP/1.1",
        "Host: localhost",
        "User-Agent: GitHub-Hookshot/044aadd",
        "Accept: */*",
        "Content-Type: application/json",
        "X-GitHub-Event: release",
        f"X-GitHub-Delivery: {uuid.uuid4()}",
        "X-GitHub-Hook-ID: 292430182",
        "X-GitHub-Hook-Installation-Target-Type: repository",
        f"X-Hub-Signature-256: {github_signature(SECRET, body)}",
        f"Content-Length: {len(body)}",
    ]
    request = "\r\n".join([*lines, "", ""]).encode() + body
    return Shot(request, application, number, tag)


def release(application: str, tag: str, number: int) -> dict[str, Any]:
    """The payload of a release with as many assets as make it eleven kilobytes, as GitHub's schema has them."""
    name = repository(application)
    address, api = f"https://github.com/{name}", f"https://api.github.com/repos/{name}"
    user = {
        "login": "octocat",
        "id": 583231,
        "node_id": "MDQ6VXNlcjU4MzIzMQ==",
        "html_url": "https://github.com/octocat",
        "type": "User",
        "site_admin": False,
    }
    assets = [
        {
            "url": f"{api}/releases/assets/{number * 100 + asset}",
            "id": number * 100 + asset,
            "node_id": "RA_kwDOAJy2Ks4AAAAB",
            "name": f"{application}-{tag}-linux-{asset}.tar.gz",
            "label": "",
            "content_type": "application/gzip",
            "state": "uploaded",
            "size": 10_000_000 + asset,
            "download_count": 0,
            "created_at": "2026-01-02T03:04:05Z",
            "updated_at": "2026-01-02T03:04:06Z",
            "browser_download_url": f"{address}/releases/download/{tag}/{application}-{tag}-linux-{asset}.tar.gz",
        }
        for asset in range(ASSETS)
    ]
    seconds = 1_767_323_045 + number
    at = f"2026-01-{1 + number // 86400 % 28:02}T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}Z"
    return {
        "action": "published",
        "release": {
            "url": f"{api}/releases/{seconds}",
            "html_url": f"{address}/releases/tag/{tag}",
            "id": seconds,
            "author": user,
            "node_id": "RE_kwDOAJy2Ks4AAAAB",
            "tag_name": tag,
            "target_commitish": "main",
            "name": f"Release {tag}",
            "draft": False,
            "prerelease": False,
            "created_at": at,
            "published_at": at,
            "updated_at": at,
            "assets": assets,
            "tarball_url": f"{api}/tarball/{tag}",
            "zipball_url": f"{api}/zipball/{tag}",
            "body": "What has changed.",
        },
        "repository": {
            "id": 1_000_000 + int(application.removeprefix("app")),
            "name": application,
            "full_name": name,
            "private": False,
            "owner": user,
            "html_url": address,
            "default_branch": "main",
        },
        "sender": user,
    }
