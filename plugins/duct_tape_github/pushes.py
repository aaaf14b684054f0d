"""Pushes: each one publishes the tag or the branch to which somebody pushed. Pure functions.

A new tag comes as ``create``, too. That one is not used: it tells no commit. And a commit's own time is whatever its
author's clock says, or the author; so versions are sorted by the time of the push, which is GitHub's.
https://docs.github.com/en/webhooks/webhook-events-and-payloads#push
"""

from __future__ import annotations

from duct_tape.api import Event, Release, ReleasePublished, member
from duct_tape_github.names import commit, git_name, pushed_at

_KINDS = {"heads": "branch", "tags": "tag"}


def read(event: Event) -> Event:
    """The event; a ``ReleasePublished`` where it publishes something.

    :raises MalformedError: it is not what GitHub sends.
    """
    if refusal(event):
        return event
    payload = event.payload
    kind, name = _named(event)
    head, after = member(payload, "head_commit", dict, null=True), commit(event, "after")
    message = member(payload, "head_commit.message", str, null=True)
    # A tag with a message is an object of its own, and not its commit.
    built = after if head is None else commit(event, "head_commit.id")
    number, when = member(payload, "repository.id", int), pushed_at(event)
    return ReleasePublished(
        name=event.name,
        delivery=event.delivery,
        repository=member(payload, "repository.full_name", str),
        release=Release(
            id=built,
            kind=kind,
            tag=name,
            name=message.partition("\n")[0][:200] if message else None,
            url=member(payload, "head_commit.url", str, null=True),
            commit=built,
            published_at=when,
            author=member(payload, "sender.login", str, null=True),
        ),
        payload=payload,
        # With the time: who moves a branch or a tag back to an earlier commit wants that one to be deployed again.
        key=f"{kind}:{number}:{name}:{after}:{when}",
    )


def refusal(event: Event) -> str:
    """Why a push publishes nothing, or an empty string.

    :raises MalformedError: it is not what GitHub sends.
    """
    kind, name = _named(event)
    if not name:
        return f"{member(event.payload, 'ref', str)[:200]} is neither a branch nor a tag"
    if member(event.payload, "deleted", bool) or not commit(event, "after").strip("0"):
        return f"the {kind} {name[:200]} was deleted"
    return ""


def _named(event: Event) -> tuple[str, str]:
    """Kind and name of what was pushed; two empty texts for what is neither a branch nor a tag."""
    root, _, rest = git_name(member(event.payload, "ref", str), "`ref`").partition("/")
    folder, _, name = rest.partition("/")
    return (_KINDS[folder], name) if root == "refs" and folder in _KINDS and name else ("", "")
