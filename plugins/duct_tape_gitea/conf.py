"""The plugin's table, ``[plugins.gitea]``, and what it makes of an event."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Literal

from attrs import frozen

from duct_tape.api import (
    Decision,
    Event,
    Ignored,
    Problem,
    RepositoriesConf,
    Repository,
    Runs,
    Secret,
    names_problems,
    option,
    secrets_problems,
)
from duct_tape_gitea.receive import TESTED, UPDATED, Flavour

DAY = 24 * 3600.0
_NAME = r"[^/\s]+/[^/\s]+"


@frozen(kw_only=True)
class GiteaRepository(Repository):
    """One repository whose versions are deployed, or a pattern of several."""

    on: tuple[Literal["release", "tag", "branch"], ...] = option(
        "The kinds of versions that are deployed: releases, tags that are pushed, branches to which something is "
        "pushed.",
        default=("release",),
    )


@frozen(kw_only=True)
class GiteaConf(RepositoriesConf):
    """One webhook of Gitea, Forgejo or Gogs, or several that share a secret."""

    secrets: tuple[Secret, ...] = option(
        'The secret of the webhook: `{ env = "NAME" }` or `{ file = "PATH" }`. Several, so that it can be changed '
        "without losing a delivery."
    )
    flavour: Flavour = option(
        "What sends the webhooks, where it is not Gitea. Forgejo sends Gitea's headers too and works either way.",
        default="gitea",
    )
    updated_within: float = option(
        "Seconds: a release that is `updated` is deployed, where it has not been before, if it was published less "
        "than this long ago. An older one had only its notes edited, as far as can be told. 0 for never.",
        default=7 * DAY,
    )
    repositories: Mapping[str, GiteaRepository] = option(
        'The repositories, by name, such as `"owner/name"`, or by pattern, such as `"owner/*"`: the name itself goes '
        "before patterns, and the first pattern that matches before the others.",
        factory=dict,
    )

    def ducttape_problems(self) -> Iterator[Problem]:
        """What the types cannot say."""
        yield from secrets_problems(self.secrets)
        yield from names_problems(self.repositories, _NAME, "owner/name")
        if not (math.isfinite(self.updated_within) and self.updated_within >= 0):
            yield Problem(message="`updated_within` is no time span,", path="updated_within", hint="write seconds")
        yield from super().ducttape_problems()

    def decide(self, event: Event) -> Decision:
        """The decision for an event.

        :raises MalformedError: what is to be deployed has no tag.
        """
        if event.name == "push" and event.action == TESTED:
            return self.pong(event.repository)
        decision = super().decide(event)
        edited = self._edited(event) if isinstance(decision, Runs) else ""
        return Ignored(reason=edited) if edited else decision

    def _edited(self, event: Event) -> str:
        """Why an update counts as edited notes, or an empty string. Nothing in the payload tells what was changed."""
        if event.release is None or event.action != UPDATED:
            return ""
        published = event.release.published_at
        if published and time.time() - datetime.fromisoformat(published).timestamp() < self.updated_within:
            return ""
        since = published or "an unknown day"
        return f"{event.release.tag} was published on {since}, longer ago than `updated_within`: its change is not used"
