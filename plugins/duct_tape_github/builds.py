"""Builds: runs of workflows that went well. Pure functions.

A run says little about who caused it. Anybody can have a workflow run on GitHub: by a pull request from a fork, whose
branch may be called ``main`` as well, by an issue, by a comment. Such a run may even be the cause of another one, which
then belongs to the default branch. So only those events count here that take the right to write to the repository.
https://docs.github.com/en/webhooks/webhook-events-and-payloads#workflow_run
https://docs.github.com/en/actions/using-workflows/events-that-trigger-workflows
"""

from __future__ import annotations

from duct_tape.api import Event, Release, ReleasePublished, member, moment
from duct_tape_github.names import commit, git_name

# What only people and programs can cause who may write to the repository, for the commit that the run names.
TRUSTED = ("push", "workflow_dispatch", "repository_dispatch", "schedule")


def read(event: Event) -> Event:
    """The event; a ``ReleasePublished`` where it publishes a build.

    :raises MalformedError: it is not what GitHub sends.
    """
    if refusal(event):
        return event
    payload = event.payload
    number, run = member(payload, "repository.id", int), member(payload, "workflow_run.id", int)
    attempt = member(payload, "workflow_run.run_attempt", int, null=True)
    sha = commit(event, "workflow_run.head_sha")
    return ReleasePublished(
        name=event.name,
        delivery=event.delivery,
        action=event.action,
        repository=member(payload, "repository.full_name", str),
        release=Release(
            id=str(run),
            kind="build",
            tag=git_name(member(payload, "workflow_run.head_branch", str), "`workflow_run.head_branch`"),
            name=next(iter(workflow(event)), None),
            url=member(payload, "workflow_run.html_url", str, null=True),
            commit=sha,
            # When it began, not when it ended: of two pushes the later one wins, whichever is built faster. And a run
            # that is repeated is no newer than it was.
            published_at=moment(payload, "workflow_run.created_at"),
            author=member(payload, "sender.login", str, null=True),
        ),
        payload=payload,
        key=f"build:{number}:{run}:{attempt or 1}",
    )


def refusal(event: Event) -> str:
    """Why a run of a workflow is no build to deploy, or an empty string.

    :raises MalformedError: it is not what GitHub sends.
    """
    payload = event.payload
    action, run = member(payload, "action", str), member(payload, "workflow_run", dict)
    if action != "completed":
        return f"the workflow run is `{action[:50]}`: only one that has ended well is deployed"
    conclusion = member(run, "conclusion", str, null=True)
    if conclusion != "success":
        ended = (conclusion or "nothing")[:50]
        return f"the workflow run ended with `{ended}`: only one that has ended well is deployed"
    cause = member(run, "event", str)
    if cause not in TRUSTED:
        return f"the workflow ran because of `{cause[:50]}`, which needs no right to write: only {_listed()} count"
    if _is_of_a_fork(event):
        return "the workflow ran on the commit of another repository"
    if not member(run, "head_branch", str, null=True):
        return "the workflow run belongs to no branch"
    return ""


def workflow(event: Event) -> tuple[str, ...]:
    """The workflow's name and its file, as far as they are told.

    Not the name of the run: it may hold what anybody writes, such as the title of a pull request.

    :raises MalformedError: it is not what GitHub sends.
    """
    name = member(event.payload, "workflow.name", str, null=True)
    path = member(event.payload, "workflow.path", str, null=True)
    return tuple(text for text in (name, (path or "").rpartition("/")[2]) if text)


def _is_of_a_fork(event: Event) -> bool:
    payload = event.payload
    # A fork that was deleted meanwhile is null.
    head = member(payload, "workflow_run.head_repository", dict, null=True)
    if head is None:
        return True
    same = member(head, "id", int) == member(payload, "repository.id", int)
    return not same or member(head, "full_name", str) != member(payload, "repository.full_name", str)


def _listed() -> str:
    return f"{', '.join(f'`{name}`' for name in TRUSTED[:-1])} and `{TRUSTED[-1]}`"
