"""The plugin's table, ``[plugins.gitlab]``."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Literal

from attrs import frozen

from duct_tape.api import (
    Decision,
    Event,
    Ignored,
    Problem,
    RepositoriesConf,
    Runs,
    Secret,
    moment,
    names_problems,
    option,
    secrets_problems,
    standard_webhooks_problems,
)
from duct_tape.api import Repository as AnyRepository

# GitLab's own paths may have many parts. What people paste in their place is an address.
_PATH = r"\*|[^/\s:]+(?:/[^/\s:]+)+"


@frozen(kw_only=True)
class Repository(AnyRepository):
    """One project whose versions are deployed, or a pattern of several."""

    on: tuple[Literal["release", "tag", "branch", "build"], ...] = option(
        "What is deployed: releases, pushed tags, branches that something is pushed to, or builds, which are pipelines "
        "of a branch that succeed.",
        default=("release",),
    )


@frozen(kw_only=True)
class GitLabConf(RepositoriesConf):
    """GitLab's webhooks, of projects and groups that share a token."""

    signing_secrets: tuple[Secret, ...] = option(
        "The signing token of the webhook, `whsec_…`. Several, so that it can be changed without losing a delivery. "
        "What is not signed is refused.",
        default=(),
    )
    secrets: tuple[Secret, ...] = option(
        "The secret token of the webhook, for a GitLab that cannot sign yet; one of the two is needed.", default=()
    )
    repositories: Mapping[str, Repository] = option(
        'The projects, by path, such as `"group/subgroup/project"`, or by pattern, such as `"group/*"`: the path '
        "itself goes before patterns, and the first pattern that matches before the others.",
        factory=dict,
    )

    def ducttape_problems(self) -> Iterator[Problem]:
        """What the types cannot say."""
        yield from super().ducttape_problems()
        yield from names_problems(self.repositories, _PATH, "group/subgroup/project")
        yield from standard_webhooks_problems(self.signing_secrets, "signing_secrets")
        if not self.signing_secrets:
            yield from secrets_problems(self.secrets)
        elif self.secrets:
            hint = "remove `secrets`: whoever knows the token alone could leave out the signature"
            yield Problem(message="`secrets` counts for nothing beside `signing_secrets`,", path="secrets", hint=hint)

    def decide(self, event: Event) -> Decision:
        """What every forge decides; and an upcoming release is not deployed before its time.

        :raises MalformedError: what is to be deployed has no name, or was created at no time.
        """
        decision = super().decide(event)
        if isinstance(decision, Runs) and (until := upcoming(event)):
            return Ignored(reason=f"{decision.title[:200]} is an upcoming release, until {until}")
        return decision


def upcoming(event: Event) -> str:
    """When a release will be one, where that is in the future; otherwise an empty string."""
    if event.release is None or event.name != "release":
        return ""
    released = event.release.published_at or ""
    # A release of now has both times the same. So GitLab's clock may be ahead of ours.
    created = moment(event.payload, "created_at") or ""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time()))
    return released if released > max(created, now) else ""
