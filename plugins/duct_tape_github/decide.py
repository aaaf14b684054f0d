"""What to do about an event: deploy when a version becomes deployable, once. Pure functions.

GitHub sends up to three deliveries for one release, in any order, and a prerelease that is promoted only
sends ``released``. So full releases count by ``published`` or ``released``, whichever comes first, and
prereleases by ``published``. https://docs.github.com/en/webhooks/webhook-events-and-payloads#release
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from duct_tape.api import Decision, Event, Ignored, MalformedError, PlannedRun, Pong, Release, Runs, moment
from duct_tape_github.conf import GitHubConf, Repository


def decide(event: Event, conf: GitHubConf) -> Decision:
    """The decision for an event.

    :raises MalformedError: a published release has no tag, or `updated_at` is not a time.
    """
    if event.name == "ping":
        return _pong(event, conf)
    if event.name != "release" or event.release is None:
        return Ignored(reason=f"`{event.name}` events are not used: the webhook needs to send releases only")
    repository = conf.repository(event.repository)
    if repository is None:
        return Ignored(reason=f"the repository {event.repository[:200]} is not configured")
    reason = ignored_because(event.action, event.release, repository)
    return Ignored(reason=reason) if reason else _runs(event, event.release, repository, conf)


def ignored_because(action: str, release: Release, repository: Repository) -> str:
    """Why a release is not deployed, or an empty string when it is."""
    if action not in ("published", "released"):
        return f"the release was `{action[:50]}`: only a published release is deployed"
    if release.draft:
        return "the release is a draft"
    if not release.tag:
        raise MalformedError("`release.tag_name` is empty although the release is published")
    tag = release.tag[:200]
    if release.prerelease and not repository.prereleases:
        return f"{tag} is a prerelease, and `prereleases` is not set for this repository"
    if release.prerelease and action != "published":
        return f"{tag} is a prerelease: it is deployed when it is published"
    if repository.tags and not any(fnmatchcase(release.tag, pattern) for pattern in repository.tags):
        return f"the tag {tag} matches none of {', '.join(repository.tags)}"
    return ""


def _runs(event: Event, release: Release, repository: Repository, conf: GitHubConf) -> Runs:
    triggers = conf.triggers if repository.triggers is None else repository.triggers
    values = conf.vars if repository.vars is None else repository.vars
    number = event.payload["repository"]["id"]
    return Runs(
        runs=tuple(
            PlannedRun(application=repository.application, trigger=trigger, vars=values) for trigger in triggers
        ),
        key=f"release:{number}:{release.id}:{release.tag}",
        version=deployable_at(event, release),
        title=release.tag,
        allow_older=repository.allow_older,
    )


def deployable_at(event: Event, release: Release) -> str | None:
    """When the release became deployable: what is older than this does not replace it.

    A prerelease that is promoted keeps the `published_at` of its first day, and other releases may have been
    published since. The time of its promotion is in `updated_at`, which GitHub added later than the rest.
    """
    if event.action != "released" or release.published_at is None:
        return release.published_at
    updated = moment(event.payload, "release.updated_at")
    return max(release.published_at, updated or "")


def _pong(event: Event, conf: GitHubConf) -> Pong:
    hook = event.payload.get("hook")
    events = hook.get("events") if isinstance(hook, dict) else None
    if isinstance(events, list) and not {"release", "*"} & {name for name in events if isinstance(name, str)}:
        return Pong(configured=False, message="the webhook does not send releases: edit it and select Releases")
    if not event.repository:
        return Pong(configured=bool(conf.repositories), message="the signature is good")
    repository = conf.repository(event.repository)
    if repository is None:
        return Pong(configured=False, message=f"the repository {event.repository[:200]} is not configured here")
    return Pong(configured=True, message=f"releases of {event.repository} deploy {repository.application}")
