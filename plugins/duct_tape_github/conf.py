"""The plugin's table, ``[plugins.github]``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from duct_tape.api import ApplicationName, Secret, TriggerName, option

# GitHub's own rule for owners and repositories.
_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")


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

    def __attrs_post_init__(self) -> None:
        _check_triggers(self.triggers or ())
        _check_vars("vars", self.vars or {})


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
        if not self.secrets:
            raise ValueError("`secrets` is empty; without a secret nobody could tell GitHub from a stranger")
        _check_triggers(self.triggers)
        _check_vars("vars", self.vars)
        for name, repository in self.repositories.items():
            if not _REPOSITORY.fullmatch(name):
                raise ValueError(f'`{name[:80]}` is not a repository; write "owner/name"')
            if not (self.triggers if repository.triggers is None else repository.triggers):
                raise ValueError(f"`{name}` has no trigger; set `triggers` there or for all repositories")
        by_name = {name.lower(): repository for name, repository in self.repositories.items()}
        if len(by_name) != len(self.repositories):
            raise ValueError("a repository is named twice; GitHub's names do not tell upper from lower case")
        object.__setattr__(self, "by_name", by_name)

    def repository(self, name: str) -> Repository | None:
        """The configuration of ``owner/name``; GitHub does not tell upper from lower case."""
        # Outside ASCII lower() joins what differs: the Kelvin sign becomes k.
        return self.by_name.get(name.lower()) if name.isascii() else None


def _check_triggers(triggers: tuple[str, ...]) -> None:
    for name in triggers:
        if triggers.count(name) > 1:
            raise ValueError(f"the trigger `{name}` is named twice; one release would be deployed twice")


def _check_vars(path: str, value: Any) -> None:
    # The journal keeps them as JSON, which knows nothing of TOML's dates and times.
    if isinstance(value, dict):
        for key, item in value.items():
            _check_vars(f"{path}.{key}", item)
    elif isinstance(value, list):
        for item in value:
            _check_vars(path, item)
    elif not isinstance(value, (str, int, float)):
        raise ValueError(f"`{path}` is a {type(value).__name__}; write it as text, in quotes")
