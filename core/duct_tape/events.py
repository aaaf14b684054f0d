"""What a verified delivery means, parsed and typed.

Every integration maps its sender's payload onto these classes, so that templates and filters read the
same whoever sent the delivery.
"""

from __future__ import annotations

from typing import Any

from attrs import asdict, field, frozen

from duct_tape.types import JSONObject, Variables


@frozen(kw_only=True)
class Release:
    """A published version.

    :param id: what tells this version from another of the same name: the sender's number of a release, the commit of
        a tag, the digest of an image.
    :param kind: what was published: ``release``, ``tag``, ``branch``, ``package`` or ``build``.
    :param tag: the tag's name; for a branch and a build, the name of the branch. Empty only for a draft.
    :param published_at: RFC 3339 time, or None where the sender gives none (drafts).
    :param commit: commit or branch that the tag was made from, as the sender names it.
    """

    id: str
    tag: str
    name: str | None = None
    prerelease: bool = False
    draft: bool = False
    url: str | None = None
    commit: str | None = None
    published_at: str | None = None
    author: str | None = None
    kind: str = "release"


@frozen(kw_only=True)
class Event:
    """One verified delivery.

    :param name: the sender's name for the event, such as ``release``.
    :param delivery: the sender's id of the delivery; the same when it is sent again.
    :param action: what happened, such as ``published``.
    :param repository: ``owner/name``, or an empty string where the event belongs to none.
    :param payload: the decoded body.
    """

    name: str
    delivery: str
    action: str = ""
    repository: str = ""
    release: Release | None = None
    payload: JSONObject = field(factory=dict, repr=False)

    def variables(self) -> dict[str, Any]:
        """What templates see of the event."""
        return {
            "release": asdict(self.release) if self.release else None,
            "repository": self.repository,
            "delivery": self.delivery,
            "event": self.name,
            "action": self.action,
            "payload": self.payload,
        }


@frozen(kw_only=True)
class ReleasePublished(Event):
    """A version can be deployed: what every integration maps its sender's payload onto.

    :param release: the version.
    :param key: the version's own identity, the same whichever delivery tells of it; None to make it of repository,
        kind, id and tag.
    :param version: sorts the versions of one application by age (RFC 3339 time, UTC); None for ``published_at``.
    """

    release: Release
    key: str | None = None
    version: str | None = None


def event_to_json(event: Event) -> JSONObject:
    """The event as plain data, for the journal."""
    release = asdict(event.release) if event.release else None
    # The payload as it is: it is plain already, and copying it value by value takes longer than writing it.
    return {**asdict(event, recurse=False), "release": release}


def event_from_json(data: Variables) -> Event:
    """The event that ``event_to_json`` was given."""
    release = Release(**data["release"]) if data["release"] else None
    # Only the one class has a version of its own.
    cls = ReleasePublished if "version" in data and release else Event
    return cls(**{**data, "release": release})
