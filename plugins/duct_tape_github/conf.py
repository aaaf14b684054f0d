"""The plugin's table, ``[plugins.github]``."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from attrs import field, frozen

from duct_tape.api import ApplicationName, Problem, Secret, Template, TriggerName, option

# GitHub's own rule for owners and repositories.
_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")
# What people paste in its place.
_ADDRESS = re.compile(r"(?:https?://github\.com/|(?:ssh://)?git@github\.com[:/])?(?P<name>[^/]+/[^/]+?)(?:\.git)?/?")

# A token's characters. Any other would break the header that carries it.
_TOKEN = re.compile(rb"[\x21-\x7e]{8,1000}")
DAY = 24 * 3600.0
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
class Repository:
    """One repository whose releases are deployed."""

    application: ApplicationName = option("What is deployed: the name of a folder on the host that holds `bin/deploy`.")
    prereleases: bool = option("Whether prereleases are deployed too.", default=False)
    tags: tuple[str, ...] = option(
        'Only releases whose tag matches one of these patterns, such as `["v*"]`; the whole tag, case-sensitive. '
        "Without it every tag.",
        default=(),
    )
    triggers: tuple[TriggerName, ...] | None = option("The triggers, in place of the default ones.", default=None)
    vars: Mapping[str, Any] | None = option(
        "Offered to templates as `vars`, in place of the default ones.", default=None
    )
    allow_older: bool = option(
        "Whether a release that is older than the last one may replace it, when it arrives late.", default=False
    )
    hook_id: int | None = option(
        "The number of the repository's webhook, the last part of its page's address on GitHub, where `public_url` "
        "does not tell which one it is.",
        default=None,
    )
    environment: Template | None = option("The environment of its deployments, in place of the default.", default=None)

    def ducttape_problems(self) -> Iterator[Problem]:
        """What the types cannot say."""
        yield from _trigger_problems(self.triggers or ())
        yield from _vars_problems("vars", self.vars or {})


@frozen(kw_only=True)
class GitHubConf:
    """One GitHub webhook, or several that share a secret."""

    secrets: tuple[Secret, ...] = option(
        'The secret of the webhook: `{ env = "NAME" }` or `{ file = "PATH" }`. Several, so that it can be changed '
        "without losing a delivery."
    )
    triggers: tuple[TriggerName, ...] = option("The triggers of every repository without its own.", default=())
    vars: Mapping[str, Any] = option("The `vars` of every repository without its own.", factory=dict)
    repositories: Mapping[str, Repository] = option('The repositories, as `"owner/name"`.', factory=dict)
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
    by_name: Mapping[str, Repository] = field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        by_name = {name.lower(): repository for name, repository in self.repositories.items()}
        object.__setattr__(self, "by_name", by_name)

    def ducttape_problems(self) -> Iterator[Problem]:
        """What the types cannot say."""
        if not self.secrets:
            hint = "without a secret nobody could tell GitHub from a stranger"
            yield Problem(message="`secrets` is empty,", path="secrets", hint=hint)
        yield from _trigger_problems(self.triggers)
        yield from _vars_problems("vars", self.vars)
        yield from self._api_problems()
        for name, repository in self.repositories.items():
            path = repository_path(name)
            if not _REPOSITORY.fullmatch(name):
                yield Problem(message=f"`{name[:80]}` is not a repository,", path=path, hint=_suggested(name))
                continue
            if not (self.triggers if repository.triggers is None else repository.triggers):
                hint = "set `triggers` there or for all repositories"
                yield Problem(message=f"`{name}` has no trigger,", path=path, hint=hint)
            # Each spelling is told with its own file.
            others = [other for other in self.repositories if other != name and other.lower() == name.lower()]
            if others:
                message = f"a repository is named twice, as `{name}` and as `{'`, `'.join(others)}`,"
                yield Problem(message=message, path=path, hint="GitHub's names do not tell upper from lower case")

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
        # Outside ASCII lower() joins what differs: the Kelvin sign becomes k.
        return self.by_name.get(name.lower()) if name.isascii() else None


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


def repository_path(name: str) -> str:
    """The key path of a repository below the plugin's table."""
    return f"repositories.{json.dumps(name, ensure_ascii=False)}"


def _suggested(name: str) -> str:
    found = _ADDRESS.fullmatch(name)
    good = found["name"] if found and _REPOSITORY.fullmatch(found["name"]) else "owner/name"
    return f'write "{good}"'


def _trigger_problems(triggers: tuple[str, ...]) -> Iterator[Problem]:
    for name in dict.fromkeys(name for name in triggers if triggers.count(name) > 1):
        message = f"the trigger `{name}` is named twice,"
        yield Problem(message=message, path="triggers", hint="one release would be deployed twice")


def _vars_problems(path: str, value: Any) -> Iterator[Problem]:
    # The journal keeps them as JSON, which knows nothing of TOML's dates and times, nor of `inf` and `nan`.
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _vars_problems(f"{path}.{json.dumps(key, ensure_ascii=False)}", item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _vars_problems(f"{path}[{index}]", item)
    elif isinstance(value, float) and not math.isfinite(value):
        yield Problem(message="JSON has no such number,", path=path, hint="write it as text, in quotes")
    elif not isinstance(value, (str, int, float)):
        yield Problem(message=f"JSON has no {type(value).__name__},", path=path, hint="write it as text, in quotes")
