"""The plugin's table, ``[plugins.registry]``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from attrs import frozen

from duct_tape.api import (
    Decision,
    Event,
    Problem,
    RepositoriesConf,
    Secret,
    fits_path,
    names_problems,
    option,
    secrets_problems,
)
from duct_tape.api import Repository as AnyRepository

# 128 bits in the densest alphabet that a URL holds. What can be guessed at leisure needs no less.
MIN_PATH = 22
# Neither address nor tag; the registry is known.
_IMAGE = r"\*|(?!(?:ghcr\.io|(?:[a-z]+\.)?docker\.io)/)[^/\s:@]+(?:/[^/\s:@]+)+"


@frozen(kw_only=True)
class Repository(AnyRepository):
    """One image whose versions are deployed, or a pattern of several."""

    on: tuple[Literal["package"], ...] = option("A registry has nothing but images.", default=("package",))


@frozen(kw_only=True)
class RegistryConf(RepositoriesConf):
    """The webhooks of one registry: Docker Hub's, or those of GitHub's container registry."""

    kind: Literal["docker-hub", "ghcr"] = option("Which registry sends.")
    secrets: tuple[Secret, ...] = option(
        "For `ghcr` the secret of the webhook. Docker Hub cannot sign: for `docker-hub` it is the end of the webhook's "
        "URL. Several, so that it can be changed without losing a delivery."
    )
    repositories: Mapping[str, Repository] = option(
        'The images without the registry\'s name, such as `"acme/shop"`, or by pattern, such as `"acme/*"`: the name '
        "itself goes before patterns, and the first pattern that matches before the others.",
        factory=dict,
    )

    def ducttape_problems(self) -> Iterator[Problem]:
        """What the types cannot say."""
        yield from super().ducttape_problems()
        yield from names_problems(self.repositories, _IMAGE, "owner/image")
        yield from secrets_problems(self.secrets)
        for secret in self.secrets if self.kind == "docker-hub" else ():
            if not fits_path(secret) or len(secret.reveal()) < MIN_PATH:
                message = f"the {secret.source} holds no secret that can be the end of a URL,"
                hint = f"{MIN_PATH} letters and digits at least; `openssl rand -hex 32` makes one"
                yield Problem(message=message, path="secrets", hint=hint)

    def decide(self, event: Event) -> Decision:
        """What is decided everywhere; and GitHub's ping is answered.

        :raises MalformedError: what is to be deployed has no name.
        """
        if event.name == "ping":
            return self.pong()
        return super().decide(event)
