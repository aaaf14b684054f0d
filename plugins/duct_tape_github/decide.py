"""What to do about an event. Pure functions.

Which events publish a version is in ``releases``, ``pushes``, ``packages`` and ``builds``. Which versions are deployed
is what all integrations have in common, and ``RepositoriesConf`` decides it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from duct_tape.api import (
    Decision,
    DuctTapeError,
    Event,
    Ignored,
    Pong,
    ReleasePublished,
    RepositoriesConf,
)
from duct_tape_github import builds, packages, pushes, releases
from duct_tape_github.receive import KINDS, READERS
from duct_tape_github.subscriptions import missing, needed

if TYPE_CHECKING:
    from duct_tape_github.conf import GitHubConf, Repository

# Why an event of each name publishes nothing.
REFUSALS: Mapping[str, Callable[[Event], str]] = {
    "release": lambda event: releases.refusal(event.action, event.release) if event.release else "",
    "push": pushes.refusal,
    "package": packages.refusal,
    "registry_package": packages.refusal,
    "workflow_run": builds.refusal,
}


def decide(event: Event, conf: GitHubConf) -> Decision:
    """The decision for an event.

    :raises MalformedError: the event is not what GitHub sends.
    """
    if event.name == "ping":
        return _pong(event, conf)
    if not KINDS.get(event.name, frozenset()) & conf.kinds:
        wanted = needed(conf.kinds)
        return Ignored(reason=f"`{event.name}` events are not used: the webhook needs to send {wanted} only")
    if not isinstance(event, ReleasePublished):
        # It may come from the journal, and of another configuration.
        event = READERS[event.name](event)
    if not isinstance(event, ReleasePublished):
        return Ignored(reason=_reason(event, conf))
    repository = conf.repository(event.repository)
    if event.release.kind == "build" and repository and "build" in repository.on:
        names = builds.workflow(event)
        if not repository.builds(names):
            told = names[0][:100] if names else "without a name"
            return Ignored(reason=f"the workflow {told} matches none of {', '.join(repository.workflows)}")
    return RepositoriesConf.decide(conf, event)


def _reason(event: Event, conf: GitHubConf) -> str:
    """Why an event that publishes nothing is ignored."""
    if event.repository and conf.repository(event.repository) is None:
        return f"the repository {event.repository[:200]} is not configured"
    return REFUSALS[event.name](event)


def _pong(event: Event, conf: GitHubConf) -> Pong:
    hook = event.payload.get("hook")
    events = hook.get("events") if isinstance(hook, dict) else None
    repository = conf.repository(event.repository) if event.repository else None
    if event.repository and repository is None:
        return Pong(configured=False, message=f"the repository {event.repository[:200]} is not configured here")
    kinds = conf.kinds if repository is None else frozenset(repository.on)
    if lacking := missing(kinds, events):
        return Pong(configured=False, message=f"the webhook {lacking}")
    if repository is None:
        return Pong(configured=bool(conf.repositories), message="the signature is good")
    return Pong(configured=True, message=_promise(event, repository, conf))


def _promise(event: Event, repository: Repository, conf: GitHubConf) -> str:
    values = conf.vars if repository.vars is None else repository.vars
    try:
        application = repository.application.render({**event.variables(), "vars": values})
    except DuctTapeError:
        # It depends on the version.
        application = repository.application.source
    return f"{needed(repository.on)} of {event.repository} deploy {application}"
