"""Packages: images that are pushed to GitHub's container registry. Pure functions.

GitHub sends the same as ``package`` and as ``registry_package``, and once more without a tag for each platform of an
image. https://docs.github.com/en/webhooks/webhook-events-and-payloads#package
"""

from __future__ import annotations

import re

from duct_tape.api import Event, MalformedError, Release, ReleasePublished, member, moment
from duct_tape_github.names import git_name, is_commit

_DIGEST = re.compile(r"[a-z0-9]+:[0-9a-f]{32,128}")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
# GitHub's way of saying that it knows no time.
_NEVER = "0001"


def read(event: Event) -> Event:
    """The event; a ``ReleasePublished`` where it publishes an image.

    :raises MalformedError: it is not what GitHub sends.
    """
    repository = _repository(event)
    if refusal(event):
        return event
    package, version = _at(event, ""), _at(event, ".package_version")
    payload = {"package": package}
    tag = git_name(member(version, "container_metadata.tag.name", str), "the image's tag")
    digest = member(version, "container_metadata.tag.digest", str)
    if not _DIGEST.fullmatch(digest):
        raise MalformedError("`container_metadata.tag.digest` is not a digest")
    when = max((_time(package), _time(version)), key=lambda time: time or "")
    return ReleasePublished(
        name=event.name,
        delivery=event.delivery,
        action=event.action,
        repository=repository,
        release=Release(
            id=digest,
            kind="package",
            tag=tag,
            name=member(payload, "package.name", str),
            url=member(version, "html_url", str, null=True),
            commit=_revision(version),
            published_at=when,
            author=member(event.payload, "sender.login", str, null=True),
        ),
        payload=event.payload,
        key=f"package:{member(package, 'id', int)}:{digest}:{tag}",
    )


def refusal(event: Event) -> str:
    """Why a package publishes no image, or an empty string.

    :raises MalformedError: it is not what GitHub sends.
    """
    action, package = member(event.payload, "action", str), _at(event, "")
    name = member(package, "name", str)[:200]
    if action not in ("published", "updated"):
        return f"the package {name} was `{action[:50]}`: only a published image is deployed"
    if not _repository(event):
        return f"the package {name} belongs to no repository: connect it to one on its page"
    if member(package, "package_version.container_metadata", dict, null=True) is None:
        return f"the package {name} is no container image"
    if not member(package, "package_version.container_metadata.tag.name", str, null=True):
        return f"the image {name} has no tag: GitHub sends one more delivery for each tag that it gets"
    return ""


def _repository(event: Event) -> str:
    """The repository to which the package is connected, or else the name of the package itself."""
    if event.payload.get("repository") is not None:
        member(event.payload, "repository.id", int)
        return member(event.payload, "repository.full_name", str)
    package = _at(event, "")
    owner, name = member(package, "owner.login", str), member(package, "name", str)
    return f"{owner}/{name}" if _NAME.fullmatch(name) else ""


def _at(event: Event, path: str) -> dict[str, object]:
    found: dict[str, object] = member(event.payload, f"{event.name}{path}", dict)
    return found


def _revision(version: dict[str, object]) -> str | None:
    """The commit that the image was built of: a label, which may hold anything."""
    found = member(version, "container_metadata.labels.revision", str, null=True)
    return found if found and is_commit(found) else None


def _time(data: dict[str, object]) -> str | None:
    found = moment(data, "updated_at")
    return None if found is None or found.startswith(_NEVER) else found
