"""Docker Hub's deliveries. It has one event and signs nothing: whoever knows the URL can send anything.

https://docs.docker.com/docker-hub/repos/manage/webhooks/
"""

from __future__ import annotations

import time
from typing import Any

from duct_tape.api import (
    Event,
    MalformedError,
    RawDelivery,
    Release,
    ReleasePublished,
    identity,
    json_bytes,
    member,
    parse_json,
)

# The end of the year 9999.
_LATEST = 253_402_300_799


def parse(delivery: RawDelivery) -> Event:
    """The event of a verified delivery. Its `callback_url` is never called: anybody may have written it.

    :raises UnsupportedMediaError: the body is not JSON.
    :raises MalformedError: the body is not what Docker Hub sends.
    """
    payload = parse_json(json_bytes(delivery))
    number = identity(delivery)
    image = member(payload, "repository.repo_name", str)
    tag = member(payload, "push_data.tag", str, null=True)
    if not tag:
        return Event(name="push", action="without a tag", delivery=number, repository=image, payload=payload)
    pushed = _pushed(payload)
    release = Release(
        # The one thing in which two pushes of a tag differ.
        id=f"{pushed:.6f}",
        tag=tag,
        url=member(payload, "repository.repo_url", str, null=True),
        published_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(pushed)),
        author=member(payload, "push_data.pusher", str, null=True),
        kind="package",
    )
    return ReleasePublished(name="push", delivery=number, repository=image, release=release, payload=payload)


def _pushed(payload: dict[str, Any]) -> float:
    # Real ones are written as 1417566161 and as 1.417566161e+09.
    pushed: Any = member(payload, "push_data", dict).get("pushed_at")
    if type(pushed) not in (int, float) or not 0 <= pushed <= _LATEST:
        raise MalformedError("`push_data.pushed_at` is not a time")
    return float(pushed)
