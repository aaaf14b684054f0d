"""Runs in the words of GitHub's deployments. Pure functions.

https://docs.github.com/en/rest/deployments/statuses
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from duct_tape.api import DuctTapeError, Run, RunState, Template
from duct_tape_github.conf import GitHubConf

STATES: Mapping[RunState, str] = {
    RunState.ACCEPTED: "queued",
    RunState.FLAGGED: "queued",
    RunState.DEPLOYING: "in_progress",
    RunState.DEPLOYED: "success",
    RunState.DONE: "success",
    RunState.FAILED: "failure",
    RunState.TIMED_OUT: "failure",
    RunState.REFUSED: "failure",
    RunState.LOST: "error",
    RunState.SUPERSEDED: "inactive",
    RunState.CANCELLED: "inactive",
    RunState.DISCARDED: "inactive",
}
# More is to come after these.
UNFINISHED = frozenset({"queued", "in_progress"})

MAX_DESCRIPTION = 140
# GitHub's own, in characters.
MAX_ENVIRONMENT = 255
MAX_URL = 1000

# What terminals understand and people do not: colours, titles, cursor movements.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")
_NEWLINES = re.compile(r"[\r\n]+")


def deployment_body(run: Run, conf: GitHubConf) -> dict[str, Any]:
    """The order that makes a run's deployment."""
    name = environment(run, conf)
    return {
        "ref": ref(run),
        "task": "deploy",
        # It is deployed already, whatever other checks say: nothing is merged and nothing is waited for.
        "auto_merge": False,
        "required_contexts": [],
        "environment": name,
        "production_environment": name == "production",
        "description": plain(f"{run.trigger} of {run.application}", MAX_DESCRIPTION),
        "payload": {"run": run.id, "application": run.application, "trigger": run.trigger},
    }


def ref(run: Run) -> str:
    """What was deployed, in git's terms; an empty string where that is not known, as of an image without a label."""
    release = run.event.release
    if release is None:
        return ""
    # A branch goes on, and its deployment stays where it was.
    return release.tag if release.kind in ("release", "tag") else release.commit or ""


def status_body(run: Run, conf: GitHubConf, public_url: str | None = None) -> dict[str, Any]:
    """The order that tells a run's state.

    :param public_url: the link where none is configured.
    """
    body = {"state": STATES[run.state], "description": description(run, output=conf.deployment_output)}
    if url := link(conf.log_url, run) or (public_url if conf.log_url is None else None):
        body["log_url"] = url
    if url := link(conf.environment_url, run):
        body["environment_url"] = url
    return body


def environment(run: Run, conf: GitHubConf) -> str:
    """The environment of a run's deployment.

    :raises DuctTapeError: its template cannot be rendered.
    """
    repository = conf.repository(run.event.repository)
    template = (repository.environment if repository else None) or conf.environment
    return plain(template.render(variables(run)), MAX_ENVIRONMENT) or "production"


def link(template: Template | None, run: Run) -> str | None:
    """The rendered address, or None where it is none that GitHub would take."""
    if template is None:
        return None
    try:
        url = template.render(variables(run)).strip()
        parts = urlsplit(url)
    except (DuctTapeError, ValueError):
        return None
    good = parts.scheme in ("http", "https") and parts.hostname and len(url) <= MAX_URL
    return url if good and not re.search(r"[\s\x00-\x1f]", url) else None


def variables(run: Run) -> dict[str, Any]:
    """What the templates of links and environments see."""
    return {**run.variables(), "run": run.id}


def description(run: Run, *, output: bool) -> str:
    """A run's state in one line, such as ``failed with exit code 1 after 12.0 s: no space left on device``.

    :param output: whether what ``bin/deploy`` or an error said may be part of it.
    """
    told = " ".join(_facts(run))
    said = _said(run) if output else ""
    return plain(f"{told}: {said}" if said else told, MAX_DESCRIPTION)


def plain(text: str, limit: int) -> str:
    """A text without anything that is no character, on one line, cut where it is too long."""
    visible = "".join(
        character if unicodedata.category(character)[0] not in "CZ" else " " for character in _ESCAPES.sub("", text)
    )
    line = " ".join(visible.split())
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"


def _facts(run: Run) -> Iterator[str]:
    yield str(run.state)
    if run.result and run.result.exit_code:
        yield f"with exit code {run.result.exit_code}"
    if run.result and run.result.duration is not None:
        yield f"after {run.result.duration:.1f} s"


def _said(run: Run) -> str:
    """The last line that says something. What happened before there was a result is in the run's own words."""
    if run.state in (RunState.ACCEPTED, RunState.FLAGGED, RunState.DEPLOYING):
        return ""
    text = run.result.output if run.result else run.detail
    lines = (plain(line, 1000) for line in reversed(_NEWLINES.split(text)))
    return next((line for line in lines if line), "")
