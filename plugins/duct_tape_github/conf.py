"""The plugin's table, ``[plugins.github]``."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import field, frozen

from duct_tape.api import ApplicationName, Problem, Secret, TriggerName, option

# GitHub's own rule for owners and repositories.
_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")
# What people paste in its place.
_ADDRESS = re.compile(r"(?:https?://github\.com/|(?:ssh://)?git@github\.com[:/])?(?P<name>[^/]+/[^/]+?)(?:\.git)?/?")


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

    def repository(self, name: str) -> Repository | None:
        """The configuration of ``owner/name``; GitHub does not tell upper from lower case."""
        # Outside ASCII lower() joins what differs: the Kelvin sign becomes k.
        return self.by_name.get(name.lower()) if name.isascii() else None


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
