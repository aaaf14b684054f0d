"""The plugin's table, ``[plugins.bitbucket]``, and what it makes of an event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from attrs import frozen

from duct_tape.api import (
    Decision,
    Event,
    Problem,
    RepositoriesConf,
    Repository,
    Secret,
    names_problems,
    option,
    secrets_problems,
)
from duct_tape_bitbucket.receive import PING, Flavour

_NAME = r"[^/\s]+/[^/\s]+"


@frozen(kw_only=True)
class BitbucketRepository(Repository):
    """One repository whose tags or branches are deployed, or a pattern of several."""

    on: tuple[Literal["tag", "branch"], ...] = option(
        "The kinds of versions that are deployed: tags that are pushed, branches to which something is pushed.",
        default=("tag",),
    )


@frozen(kw_only=True)
class BitbucketConf(RepositoriesConf):
    """One webhook of Bitbucket Cloud or Data Center, or several that share a secret."""

    secrets: tuple[Secret, ...] = option(
        'The secret of the webhook: `{ env = "NAME" }` or `{ file = "PATH" }`. Several, so that it can be changed '
        "without losing a delivery."
    )
    flavour: Flavour = option(
        "Whose payloads `duct-tape check` and `duct-tape bitbucket send` make. The deliveries of both are read.",
        default="cloud",
    )
    repositories: Mapping[str, BitbucketRepository] = option(
        'The repositories, as `"workspace/name"` with Cloud and `"PROJECT/name"` with Data Center, or by pattern, such '
        'as `"workspace/*"`: the name itself goes before patterns, and the first pattern that matches before the '
        "others.",
        factory=dict,
    )

    def ducttape_problems(self) -> Iterator[Problem]:
        """What the types cannot say."""
        yield from secrets_problems(self.secrets)
        yield from names_problems(self.repositories, _NAME, "workspace/name")
        yield from super().ducttape_problems()

    def decide(self, event: Event) -> Decision:
        """The decision for an event.

        :raises MalformedError: what is to be deployed has no name.
        """
        return self.pong() if event.name == PING else super().decide(event)
