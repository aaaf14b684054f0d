"""GitLab's deliveries: verify and parse. Pure functions.

https://docs.gitlab.com/user/project/integrations/webhook_events/
"""

from __future__ import annotations

from typing import Any

from attrs import evolve

from duct_tape.api import (
    Event,
    MalformedError,
    RawDelivery,
    Release,
    ReleasePublished,
    SharedToken,
    StandardWebhooks,
    Verifier,
    commit,
    identity,
    json_bytes,
    member,
    moment,
    parse_json,
)
from duct_tape_gitlab.conf import GitLabConf

TOKEN = "X-Gitlab-Token"  # noqa: S105 - the header's name
# Kept when GitLab sends again. Its X-Gitlab-Webhook-UUID is new each time, and one X-Gitlab-Event-UUID is that of all
# deliveries of one cause: the release and the tag that was made with it.
DELIVERY = ("webhook-id", "Idempotency-Key")

# Whose success says something about the branch that they name. A merge request's pipeline names the branch that is to
# be merged, and that may be `main` of somebody's fork.
SOURCES = frozenset({"push", "web", "schedule", "api", "trigger", "pipeline"})


def verifier(conf: GitLabConf) -> Verifier:
    """The signature where one is configured, and then never the token."""
    if conf.signing_secrets:
        return StandardWebhooks(secrets=conf.signing_secrets)
    return SharedToken(TOKEN, secrets=conf.secrets)


def parse(delivery: RawDelivery) -> Event:
    """The event of a verified delivery.

    :raises UnsupportedMediaError: the body is not JSON.
    :raises MalformedError: the body is not what GitLab sends without a template of one's own.
    """
    payload = parse_json(json_bytes(delivery))
    number = identity(delivery, *DELIVERY)
    # The body's word and not the header's: only the body is signed.
    name = member(payload, "object_kind", str, null=True)
    if name is None:
        return _system(payload, number)
    read = _READERS.get(name)
    if read is None:
        return Event(name=name, delivery=number, payload=payload)
    repository = member(payload, "project.path_with_namespace", str)
    action, release = read(payload)
    if release is None:
        return Event(name=name, delivery=number, action=action, repository=repository, payload=payload)
    if release.kind == "branch":
        # A branch may go the same way twice, and GitLab tells no time of a push. Sent again, a push has the same id.
        release = evolve(release, id=f"{release.id}:{_sent(delivery)}")
    # A pipeline that took longer is not newer.
    version = moment(payload, "object_attributes.created_at") if release.kind == "build" else None
    return ReleasePublished(
        name=name,
        delivery=number,
        action=action,
        repository=repository,
        release=release,
        version=version,
        payload=payload,
    )


def _sent(delivery: RawDelivery) -> str:
    return next((value for value in map(delivery.value, DELIVERY) if value), "")


def _system(payload: dict[str, Any], number: str) -> Event:
    name = member(payload, "event_name", str, null=True)
    if name is None:
        raise MalformedError("`object_kind` is missing: remove the custom template of the webhook")
    return Event(name="system hook", delivery=number, action=name, payload=payload)


def _release(payload: dict[str, Any]) -> tuple[str, Release | None]:
    action = member(payload, "action", str)
    if action != "create":
        return action, None
    return action, Release(
        id=str(member(payload, "id", int)),
        tag=member(payload, "tag", str),
        name=member(payload, "name", str, null=True),
        url=member(payload, "url", str, null=True),
        commit=_commit(payload, "commit.id"),
        published_at=moment(payload, "released_at"),
    )


def _tag(payload: dict[str, Any]) -> tuple[str, Release | None]:
    return _pushed(payload, "tag", "refs/tags/")


def _branch(payload: dict[str, Any]) -> tuple[str, Release | None]:
    return _pushed(payload, "branch", "refs/heads/")


def _pushed(payload: dict[str, Any], kind: str, prefix: str) -> tuple[str, Release | None]:
    ref, before, after = member(payload, "ref", str), commit(payload, "before"), commit(payload, "after")
    now = _commit(payload, "checkout_sha")
    if not ref.startswith(prefix):
        raise MalformedError(f"`ref` does not begin with {prefix}")
    if now is None or not after.strip("0"):
        return "delete", None
    address = member(payload, "project.web_url", str, null=True)
    return "", Release(
        # A branch that is set back to an earlier commit is deployed again.
        id=now if kind == "tag" else f"{before}...{after}",
        tag=ref.removeprefix(prefix),
        commit=now,
        url=f"{address}/-/commit/{now}" if address else None,
        author=member(payload, "user_username", str, null=True),
        kind=kind,
    )


def _pipeline(payload: dict[str, Any]) -> tuple[str, Release | None]:
    status, source, branch = (member(payload, f"object_attributes.{key}", str) for key in ("status", "source", "ref"))
    of_tag = member(payload, "object_attributes.tag", bool)
    if of_tag or source not in SOURCES or payload.get("merge_request") is not None:
        return f"{status} of a tag" if of_tag else f"{status} of {source}", None
    if status != "success":
        return status, None
    return status, Release(
        id=str(member(payload, "object_attributes.id", int)),
        tag=branch,
        name=member(payload, "object_attributes.name", str, null=True),
        url=member(payload, "object_attributes.url", str, null=True),
        commit=commit(payload, "object_attributes.sha"),
        published_at=moment(payload, "object_attributes.finished_at"),
        author=member(payload, "user.username", str, null=True),
        kind="build",
    )


def _commit(payload: dict[str, Any], path: str) -> str | None:
    return None if member(payload, path, str, null=True) is None else commit(payload, path)


_READERS = {"release": _release, "tag_push": _tag, "push": _branch, "pipeline": _pipeline}
