"""Samples: what is tried without a sender."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class Sample:
    """What a sample delivery tells of. A sender that does not know a member leaves it out.

    :param repository: the name under which the repository is configured.
    :param tag: the version's tag, or its branch for the kinds ``branch`` and ``build``.
    :param kind: as in ``Release.kind``.
    :param published_at: RFC 3339 time in UTC.
    """

    repository: str = "example/hello"
    tag: str = "v1.0.0"
    kind: str = "release"
    prerelease: bool = False
    published_at: str = "2026-01-02T03:04:05Z"
