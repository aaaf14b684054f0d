"""What a webhook has to send, for what is deployed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

# The events of each kind, any of which is enough, and their name on GitHub's page of the webhook.
_EVENTS: Mapping[str, tuple[frozenset[str], str]] = {
    "release": (frozenset({"release"}), "Releases"),
    "tag": (frozenset({"push"}), "Pushes"),
    "branch": (frozenset({"push"}), "Pushes"),
    "package": (frozenset({"package", "registry_package"}), "Packages"),
    "build": (frozenset({"workflow_run"}), "Workflow runs"),
}


def needed(kinds: Collection[str]) -> str:
    """What a webhook has to send, such as ``releases and pushes``."""
    return _joined(name.lower() for kind, (_, name) in _EVENTS.items() if kind in kinds)


def missing(kinds: Collection[str], events: object, mark: str = "") -> str:
    """What a webhook does not send and what to do about it, or an empty string.

    :param events: the events that it sends; anything else than a list counts as unknown.
    :param mark: what stands around the names on GitHub's page.
    """
    if not isinstance(events, (list, tuple)):
        return ""
    sent = {event for event in events if isinstance(event, str)}
    names = [name for kind, (any_of, name) in _EVENTS.items() if kind in kinds and not sent & {"*", *any_of}]
    if not names:
        return ""
    marked = (f"{mark}{name}{mark}" for name in names)
    return f"does not send {_joined(name.lower() for name in names)}: edit it and select {_joined(marked)}"


def _joined(names: Iterable[str]) -> str:
    *others, last = dict.fromkeys(names)
    return f"{', '.join(others)} and {last}" if others else last
