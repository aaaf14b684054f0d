"""The plugin's table, ``[plugins.github]``."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Literal, TypeAlias, cast
from urllib.parse import urlsplit

from attrs import frozen

from duct_tape.api import (
    Decision,
    Event,
    Problem,
    RepositoriesConf,
    Secret,
    Template,
    is_pattern,
    option,
    repository_path,
)
from duct_tape.api import Repository as AnyRepository
from duct_tape_github import decide

# GitHub's own rule for owners and repositories.
_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")
# The same with what patterns are made of.
_PATTERN = re.compile(r"[A-Za-z0-9_.*?\[\]!-]{1,100}/[A-Za-z0-9_.*?\[\]!-]{1,100}")
# What people paste in its place.
_ADDRESS = re.compile(r"(?:https?://github\.com/|(?:ssh://)?git@github\.com[:/])?(?P<name>[^/]+/[^/]+?)(?:\.git)?/?")

# A token's characters. Any other would break the header that carries it.
_TOKEN = re.compile(rb"[\x21-\x7e]{8,1000}")
DAY = 24 * 3600.0
Kind: TypeAlias = Literal["release", "tag", "branch", "package", "build"]
RELEASES = frozenset({"release"})
GITHUB = "https://api.github.com"


@frozen(kw_only=True)
class ReconcileConf:
    """Catching up with what was released while GitHub could not reach this server. It needs a `token`."""

    enabled: bool = option("Whether to catch up at all.", default=True)
    interval: float = option("Seconds between two looks, at least 60.", default=900.0)
    look_back: float = option(
        "Seconds: a release that was published earlier, or a delivery that was made earlier, is left alone. GitHub "
        "keeps deliveries for three days.",
        default=3 * DAY,
    )
    deliveries: bool = option(
        "Whether to look at the webhook and its deliveries too, and not only at the list of releases. The webhook is "
        "known by `public_url` under `[server]`, or by `hook_id`.",
        default=True,
    )

    def ducttape_problems(self) -> Iterator[Problem]:
        """What the types cannot say."""
        if not (math.isfinite(self.interval) and self.interval >= 60):
            yield Problem(message="`interval` is less than 60 seconds,", path="interval", hint="GitHub counts requests")
        if not 0 < self.look_back <= 30 * DAY:
            yield Problem(message="`look_back` is not between 0 and 30 days,", path="look_back", hint="write seconds")


@frozen(kw_only=True)
class Repository(AnyRepository):
    """One repository whose versions are deployed, or a pattern of several."""

    on: tuple[Kind, ...] = option(
        "The kinds of versions that are deployed: a `release` that is published; a `tag` or a `branch` to which "
        "somebody pushes; a `package`, an image that is pushed to GitHub's container registry; a `build`, a workflow "
        "that went well.",
        default=("release",),
    )
    workflows: tuple[str, ...] = option(
        'The workflows whose runs are a `build`: patterns of their names or files, such as `["CI"]` or `["ci.yml"]`.',
        default=(),
    )
    hook_id: int | None = option(
        "The number of the repository's webhook, the last part of its page's address on GitHub, where `public_url` "
        "does not tell which one it is.",
        default=None,
    )
    environment: Template | None = option("The environment of its deployments, in place of the default.", default=None)

    def ducttape_problems(self) -> Iterator[Problem]:
        """What the types cannot say."""
        yield from super().ducttape_problems()
        if "build" in self.on and not self.workflows:
            hint = 'name the one that has to go well before a deploy, such as `workflows = ["CI"]`'
            yield Problem(message="`build` without `workflows` means any workflow,", path="workflows", hint=hint)

    def builds(self, names: tuple[str, ...]) -> bool:
        """Whether the runs of a workflow are builds of this repository.

        :param names: its name and its file.
        """
        return any(fnmatchcase(name, pattern) for name in names for pattern in self.workflows)


@frozen(kw_only=True)
class GitHubConf(RepositoriesConf):
    """One GitHub webhook, or several that share a secret."""

    secrets: tuple[Secret, ...] = option(
        'The secret of the webhook: `{ env = "NAME" }` or `{ file = "PATH" }`. Several, so that it can be changed '
        "without losing a delivery."
    )
    repositories: Mapping[str, Repository] = option(
        'The repositories, as `"owner/name"`, or a pattern of several, such as `"owner/*"`: the name itself goes '
        "before patterns, and the first pattern that matches before the others.",
        factory=dict,
    )
    token: Secret | None = option(
        'A token for GitHub\'s API: `{ env = "NAME" }` or `{ file = "PATH" }`. Without it GitHub is never asked.',
        default=None,
    )
    api_url: str = option("The API's address; that of GitHub Enterprise ends in `/api/v3`.", default=GITHUB)
    reconcile: ReconcileConf = option("Catching up with missed releases; see below.", factory=ReconcileConf)
    deployments: bool = option(
        "Whether each run is shown on GitHub as a deployment with its state. It needs a `token`.", default=False
    )
    environment: Template = option("The environment of the deployments.", default=Template("production"))
    deployment_output: bool = option(
        "Whether the last line of `bin/deploy` is part of the state on GitHub, for all who can read the repository.",
        default=True,
    )
    log_url: Template | None = option(
        "The link of each state, such as a page with logs: a template that also knows `run`.",
        default=None,
        shown="`public_url` under `[server]`",
    )
    environment_url: Template | None = option(
        "The link *View deployment* on GitHub: the address of what was deployed.", default=None
    )

    def ducttape_problems(self) -> Iterator[Problem]:
        """What the types cannot say."""
        if not self.secrets:
            hint = "without a secret nobody could tell GitHub from a stranger"
            yield Problem(message="`secrets` is empty,", path="secrets", hint=hint)
        yield from super().ducttape_problems()
        yield from self._api_problems()
        for name in self.repositories:
            if not (_PATTERN if is_pattern(name) else _REPOSITORY).fullmatch(name):
                path = repository_path(name)
                yield Problem(message=f"`{name[:80]}` is not a repository,", path=path, hint=_suggested(name))

    def _api_problems(self) -> Iterator[Problem]:
        if self.token is not None and not _TOKEN.fullmatch(self.token.reveal()):
            message = f"the {self.token.source} holds no token of GitHub's,"
            yield Problem(message=message, path="token", hint="a token is one line of letters, digits and underscores")
        if not good_api_url(self.api_url):
            hint = f'"{GITHUB}", or "https://HOST/api/v3" for GitHub Enterprise'
            yield Problem(message="`api_url` is no https address,", path="api_url", hint=hint)
        if self.deployments and self.token is None:
            yield Problem(message="`deployments` needs a `token`,", path="deployments", hint="set it beside it")

    def repository(self, name: str) -> Repository | None:
        """The configuration of ``owner/name``; GitHub does not tell upper from lower case."""
        # What matches a pattern becomes part of an address, too.
        good = _REPOSITORY.fullmatch(name) and name.rpartition("/")[2] not in (".", "..")
        return cast(Repository | None, super().repository(name)) if good else None

    def decide(self, event: Event) -> Decision:
        """The decision for an event."""
        return decide.decide(event, self)

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of versions that anything here deploys."""
        return frozenset(kind for repository in self.repositories.values() for kind in repository.on) or RELEASES

    @property
    def named(self) -> Mapping[str, Repository]:
        """The repositories that GitHub can be asked about: those that are no pattern."""
        return {name: repository for name, repository in self.repositories.items() if not is_pattern(name)}

    @property
    def caught_up(self) -> Mapping[str, Repository]:
        """The repositories whose missed releases can be found, since their names and their applications are known."""
        return {
            name: repository
            for name, repository in self.named.items()
            if "release" in repository.on and not is_template(repository.application)
        }


def good_api_url(url: str) -> bool:
    """Whether a token may be sent there: over TLS, or without leaving this machine."""
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and (parts.port or 1) > 0 and not parts.username
    except ValueError:
        return False
    if not named or parts.query or parts.fragment or re.search(r"[\s\x00-\x1f]", url):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(url))


def is_loopback(url: str) -> bool:
    """Whether an address is one of this machine's own."""
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or re.fullmatch(r"127\.[0-9.]+", host) is not None


def is_template(text: Template) -> bool:
    """Whether a text depends on anything."""
    return "{{" in text.source or "{%" in text.source


def _suggested(name: str) -> str:
    found = _ADDRESS.fullmatch(name)
    good = found["name"] if found and _REPOSITORY.fullmatch(found["name"]) else "owner/name"
    return f'write "{good}"'
