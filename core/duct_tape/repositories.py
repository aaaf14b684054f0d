"""Repositories and what is deployed of them: configuration that every integration of a forge shares, and its decision.

A package or a project is a repository here as well: whatever has a name and versions.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from attrs import field, frozen

from duct_tape.conf.options import TriggerName, option
from duct_tape.delivery import Decision, Ignored, PlannedRun, Pong, Runs
from duct_tape.errors import MalformedError, Problem, TemplateError
from duct_tape.events import Event, Release, ReleasePublished
from duct_tape.filters import Filter
from duct_tape.secret import Secret
from duct_tape.templates import Template
from duct_tape.volume import name_problem

# Git keeps a tag as a file, whose name has at most 255 bytes. It goes into logs, answers and flags.
MAX_TAG = 1000
# No sender has longer names, and patterns are not tried on what only looks like one.
MAX_NAME = 1000
_SHOWN = 200


@frozen(kw_only=True)
class Repository:
    """One repository whose versions are deployed, or a pattern of several.

    A plugin derives its own class to say in ``on`` which kinds its sender knows, or to add keys.
    """

    application: Template = option(
        "What is deployed: the name of a folder on the host that holds `bin/deploy`. For a pattern of repositories a "
        "template, such as `\"{{ repository.split('/') | last }}\"`."
    )
    on: tuple[str, ...] = option("The kinds of versions that are deployed.", default=("release",))
    prereleases: bool = option("Whether prereleases are deployed too.", default=False)
    tags: tuple[str, ...] = option(
        'Only versions whose tag matches one of these patterns, such as `["v*"]`; the whole tag, case-sensitive. '
        "Without it every tag.",
        default=(),
    )
    branches: tuple[str, ...] = option(
        "The branches that are deployed when something is pushed to them; patterns like those of `tags`.",
        default=("main",),
    )
    when: Filter | None = option("Only what this filter lets through.", default=None)
    triggers: tuple[TriggerName, ...] | None = option("The triggers, in place of the default ones.", default=None)
    vars: Mapping[str, Any] | None = option(
        "Offered to templates as `vars`, in place of the default ones.", default=None
    )
    allow_older: bool = option(
        "Whether a version that is older than the last one may replace it, when it arrives late.", default=False
    )

    def ducttape_problems(self) -> Iterator[Problem]:
        """What the types cannot say."""
        source = self.application.source
        problem = name_problem(source)
        if problem and not ("{{" in source or "{%" in source):
            message = f"{source[:80]!r} cannot be an application: {problem},"
            yield Problem(message=message, path="application", hint="write the name of its folder on the host")
        if not self.on:
            yield Problem(message="`on` is empty,", path="on", hint="without it, releases are deployed")
        yield from trigger_problems(self.triggers or ())
        yield from vars_problems("vars", self.vars or {})

    def unwanted(self, release: Release) -> str:
        """Why a version is not deployed, or an empty string when it is."""
        name = release.tag[:_SHOWN]
        if release.kind not in self.on:
            return f"`on` does not name `{release.kind}` for this repository: {name} is not deployed"
        if release.draft:
            return "the release is a draft"
        if release.prerelease and not self.prereleases:
            return f"{name} is a prerelease, and `prereleases` is not set for this repository"
        word, patterns = ("branch", self.branches) if release.kind in ("branch", "build") else ("tag", self.tags)
        if patterns and not any(fnmatchcase(release.tag, pattern) for pattern in patterns):
            return f"the {word} {name} matches none of {', '.join(patterns)}"
        return ""


@frozen(kw_only=True)
class RepositoriesConf:
    """Base of the configuration of an integration that deploys versions of repositories.

    Derive from it, add the secrets, and give ``decide`` to the receiver.
    """

    triggers: tuple[TriggerName, ...] = option("The triggers of every repository without its own.", default=())
    vars: Mapping[str, Any] = option("The `vars` of every repository without its own.", factory=dict)
    repositories: Mapping[str, Repository] = option(
        'The repositories, by name, such as `"owner/name"`, or by pattern, such as `"owner/*"`: the name itself goes '
        "before patterns, and the first pattern that matches before the others.",
        factory=dict,
    )
    by_name: Mapping[str, Repository] = field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        by_name = {name.lower(): repository for name, repository in self.repositories.items()}
        object.__setattr__(self, "by_name", by_name)

    def ducttape_problems(self) -> Iterator[Problem]:
        """What the types cannot say."""
        yield from trigger_problems(self.triggers)
        yield from vars_problems("vars", self.vars)
        spellings: dict[str, list[str]] = {}
        for name in self.repositories:
            spellings.setdefault(name.lower(), []).append(name)
        for name, repository in self.repositories.items():
            path = repository_path(name)
            if not name.isascii():
                hint = "no sender knows such a name: does a letter only look like another?"
                yield Problem(message=f"`{name[:80]}` is not ASCII,", path=path, hint=hint)
            if not (self.triggers if repository.triggers is None else repository.triggers):
                hint = "set `triggers` there or for all repositories"
                yield Problem(message=f"`{name}` has no trigger,", path=path, hint=hint)
            # Each spelling is told with its own file.
            others = [other for other in spellings[name.lower()] if other != name]
            if others:
                message = f"a repository is named twice, as `{name}` and as `{'`, `'.join(others)}`,"
                yield Problem(message=message, path=path, hint="upper and lower case are the same in its name")

    def repository(self, name: str) -> Repository | None:
        """The configuration of a repository; upper and lower case are the same."""
        # Outside ASCII lower() joins what differs: the Kelvin sign becomes k.
        if not name.isascii() or len(name) > MAX_NAME:
            return None
        found = self.by_name.get(name.lower())
        if found is not None:
            return found
        fitting = (key for key in self.by_name if is_pattern(key) and fnmatchcase(name.lower(), key))
        return next((self.by_name[key] for key in fitting), None)

    def pong(self, repository: str = "") -> Pong:
        """The answer to a delivery that only tries whether somebody is here.

        :param repository: the one that it names, if any.
        """
        if not repository:
            return Pong(configured=bool(self.repositories), message="the signature is good")
        found = self.repository(repository)
        if found is None:
            return Pong(configured=False, message=f"the repository {repository[:_SHOWN]} is not configured here")
        kinds = " and ".join(found.on)
        return Pong(configured=True, message=f"the signature is good; of {repository[:_SHOWN]} is deployed: {kinds}")

    def decide(self, event: Event) -> Decision:
        """The decision for an event: a ``ReleasePublished`` of a configured repository is deployed, once.

        :raises MalformedError: what is to be deployed has no tag, or an endless one.
        """
        if not isinstance(event, ReleasePublished):
            said = f"{event.name} {event.action}".strip()[:_SHOWN]
            return Ignored(reason=f"`{said}` publishes nothing that can be deployed")
        repository = self.repository(event.repository)
        if repository is None:
            return Ignored(reason=f"the repository {event.repository[:_SHOWN]} is not configured")
        _check_tag(event.release)
        variables = {**event.variables(), "vars": self.vars if repository.vars is None else repository.vars}
        reason = repository.unwanted(event.release)
        if not reason and repository.when is not None:
            refusal = repository.when.refusal(variables)
            reason = refusal and f"the filter {refusal}"
        if reason:
            return Ignored(reason=reason)
        try:
            application = repository.application.render(variables)
        except TemplateError as error:
            return Ignored(reason=f"the application's name cannot be made: {error}")
        if problem := name_problem(application):
            return Ignored(reason=f"{application[:80]!r} cannot be an application: {problem}")
        return self._runs(event, repository, application, variables["vars"])

    def _runs(
        self, event: ReleasePublished, repository: Repository, application: str, values: Mapping[str, Any]
    ) -> Runs:
        triggers = self.triggers if repository.triggers is None else repository.triggers
        release = event.release
        return Runs(
            runs=tuple(PlannedRun(application=application, trigger=trigger, vars=values) for trigger in triggers),
            key=event.key or f"{release.kind}:{event.repository.lower()}:{release.id}:{release.tag}",
            version=event.version or release.published_at,
            title=release.tag,
            allow_older=repository.allow_older,
        )


def secrets_problems(secrets: Sequence[Secret], path: str = "secrets") -> Iterator[Problem]:
    """What is wrong with an empty list of secrets, for ``ducttape_problems`` of a configuration class."""
    if not secrets:
        hint = "without a secret nobody could tell the sender from a stranger"
        yield Problem(message=f"`{path}` is empty,", path=path, hint=hint)


def names_problems(names: Iterable[str], form: str, example: str) -> Iterator[Problem]:
    """Names under ``repositories`` that no repository of the sender can have, such as an address.

    :param form: regular expression that a whole name, or a pattern of names, has to match.
    """
    for name in names:
        if not re.fullmatch(form, name):
            message = f"`{name[:80]}` is not a repository,"
            yield Problem(message=message, path=repository_path(name), hint=f'write "{example}"')


def is_pattern(name: str) -> bool:
    """Whether a key of ``repositories`` stands for several."""
    return any(character in name for character in "*?[")


def repository_path(name: str) -> str:
    """The key path of a repository below the plugin's table."""
    return f"repositories.{json.dumps(name, ensure_ascii=False)}"


def trigger_problems(triggers: tuple[str, ...], path: str = "triggers") -> Iterator[Problem]:
    """Triggers that are named twice."""
    for name in dict.fromkeys(name for name in triggers if triggers.count(name) > 1):
        message = f"the trigger `{name}` is named twice,"
        yield Problem(message=message, path=path, hint="one release would be deployed twice")


def vars_problems(path: str, value: Any) -> Iterator[Problem]:
    """What JSON, in which the journal keeps `vars`, has no form for: TOML's dates and times, `inf` and `nan`."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from vars_problems(f"{path}.{json.dumps(key, ensure_ascii=False)}", item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from vars_problems(f"{path}[{index}]", item)
    elif isinstance(value, float) and not math.isfinite(value):
        yield Problem(message="JSON has no such number,", path=path, hint="write it as text, in quotes")
    elif not isinstance(value, (str, int, float)):
        yield Problem(message=f"JSON has no {type(value).__name__},", path=path, hint="write it as text, in quotes")


def _check_tag(release: Release) -> None:
    if not release.tag and not release.draft:
        raise MalformedError(f"a {release.kind} is published that has no name")
    if len(release.tag) > MAX_TAG:
        raise MalformedError(f"the name of the {release.kind} is longer than {MAX_TAG} characters")
