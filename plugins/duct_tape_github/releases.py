"""Releases: a version is published when it becomes deployable, once. Pure functions.

GitHub sends up to three deliveries for one release, in any order, and a prerelease that is promoted only
sends ``released``. So full releases count by ``published`` or ``released``, whichever comes first, and
prereleases by ``published``. https://docs.github.com/en/webhooks/webhook-events-and-payloads#release
"""

from __future__ import annotations

from attrs import evolve

from duct_tape.api import Event, MalformedError, Release, ReleasePublished, member, moment
from duct_tape_github.names import git_name


def read(event: Event) -> Event:
    """The event with its release; a ``ReleasePublished`` where the release is published.

    :raises MalformedError: it is not what GitHub sends.
    """
    payload = event.payload
    number, action = member(payload, "repository.id", int), member(payload, "action", str)
    release = Release(
        id=str(member(payload, "release.id", int)),
        tag=git_name(member(payload, "release.tag_name", str), "`release.tag_name`"),
        name=member(payload, "release.name", str, null=True),
        prerelease=member(payload, "release.prerelease", bool),
        draft=member(payload, "release.draft", bool),
        url=member(payload, "release.html_url", str, null=True),
        commit=member(payload, "release.target_commitish", str, null=True),
        published_at=moment(payload, "release.published_at"),
        author=member(payload, "release.author.login", str, null=True),
    )
    name = member(payload, "repository.full_name", str)
    if refusal(action, release):
        return evolve(event, repository=name, release=release)
    if not release.tag:
        raise MalformedError("`release.tag_name` is empty although the release is published")
    return ReleasePublished(
        name=event.name,
        delivery=event.delivery,
        action=action,
        repository=name,
        release=release,
        payload=payload,
        key=f"release:{number}:{release.id}:{release.tag}",
        version=deployable_at(event, release),
    )


def refusal(action: str, release: Release) -> str:
    """Why a release is no version to deploy, or an empty string."""
    if action not in ("published", "released"):
        return f"the release was `{action[:50]}`: only a published release is deployed"
    if release.draft:
        return "the release is a draft"
    if release.prerelease and action != "published":
        return f"{release.tag[:200]} is a prerelease: it is deployed when it is published"
    return ""


def deployable_at(event: Event, release: Release) -> str | None:
    """When the release became deployable: what is older than this does not replace it.

    A prerelease that is promoted keeps the `published_at` of its first day, and other releases may have been
    published since. The time of its promotion is in `updated_at`, which GitHub added later than the rest.
    """
    if event.action != "released" or release.published_at is None:
        return release.published_at
    updated = moment(event.payload, "release.updated_at")
    return max(release.published_at, updated or "")
