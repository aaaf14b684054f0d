"""Samples: what is tried without a sender."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from duct_tape.repositories import RepositoriesConf

# A character class of a pattern, such as [0-9] or [!a].
_CLASS = re.compile(r"\[(?P<not>!?)(?P<first>.)[^]]*\]")


@frozen(kw_only=True)
class Sample:
    """What a sample delivery tells of. A sender that does not know a member leaves it out.

    :param repository: the name under which the repository is configured.
    :param tag: the version's tag, or its branch for the kinds ``branch`` and ``build``.
    :param kind: as in ``Release.kind``.
    :param action: what happened, in the sender's word; empty for what makes the version deployable.
    :param published_at: RFC 3339 time in UTC.
    """

    repository: str = "example/hello"
    tag: str = "v1.0.0"
    kind: str = "release"
    action: str = ""
    prerelease: bool = False
    published_at: str = "2026-01-02T03:04:05Z"


def samples(conf: RepositoriesConf) -> Iterator[Sample]:
    """Versions to try: of each repository each kind, every pattern, and prereleases where they are wanted."""
    for key, repository in conf.repositories.items():
        for kind in repository.on:
            branch = kind in ("branch", "build")
            patterns = repository.branches if branch else repository.tags
            names = [matching(pattern) for pattern in patterns] or ["main" if branch else "v1.0.0"]
            kinds = (False, True) if repository.prereleases and kind == "release" else (False,)
            for name in names:
                for prerelease in kinds:
                    yield Sample(repository=matching(key, "hello"), tag=name, kind=kind, prerelease=prerelease)


def matching(pattern: str, version: str = "1.0.0") -> str:
    """A name such as the pattern lets through, as far as that can be guessed.

    :param version: what stands for a ``*``.
    """
    name = _CLASS.sub(lambda found: "x" if found["not"] else found["first"], pattern)
    return name.replace("*", "1" if name.count("*") > 1 else version).replace("?", "1") or f"v{version}"
