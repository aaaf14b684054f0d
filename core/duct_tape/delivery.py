"""A delivery as received, and the pure answers to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from attrs import evolve, field, frozen

from duct_tape.types import JSON


@frozen(kw_only=True)
class RawDelivery:
    """One webhook request, nothing decoded yet.

    :param headers: pairs in the order received, names in lower case. A header that was sent twice is
        here twice, so that a verifier can refuse it.
    :param body: the exact bytes that the sender signed.
    :param path: what follows the integration's URL, such as ``/secret``; empty for the URL itself.
    """

    # Neither is shown: a token or a password may be in it.
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)
    path: str = field(repr=False, default="")

    @classmethod
    def build(cls, headers: Mapping[str, str] | Iterable[tuple[str, str]], body: bytes, path: str = "") -> RawDelivery:
        """A delivery from any headers; names are lower-cased here."""
        pairs = headers.items() if isinstance(headers, Mapping) else headers
        return cls(headers=tuple((name.lower(), value) for name, value in pairs), body=body, path=path)

    def with_header(self, name: str, value: str) -> RawDelivery:
        """The same with one header more."""
        return evolve(self, headers=(*self.headers, (name.lower(), value)))

    def to_path(self, path: str) -> RawDelivery:
        """The same to another path below the integration's URL."""
        return evolve(self, path=path)

    def values(self, name: str) -> tuple[str, ...]:
        """Every value of a header, in the order received."""
        wanted = name.lower()
        return tuple(value for header, value in self.headers if header == wanted)

    def value(self, name: str) -> str | None:
        """The header's value, or None when it is absent or was sent more than once."""
        found = self.values(name)
        return found[0] if len(found) == 1 else None


@frozen(kw_only=True)
class Pong:
    """The sender only wanted to know that somebody is there.

    :param configured: whether anything of this sender is configured here.
    :param message: shown to the person who looks at the sender's delivery page.
    """

    configured: bool
    message: str


@frozen(kw_only=True)
class Ignored:
    """Nothing to do.

    :param reason: a sentence that a person understands on the sender's delivery page.
    """

    reason: str


@frozen(kw_only=True)
class PlannedRun:
    """One run that a decision asks for.

    :param application: what is deployed; also the lane in which runs are serialised.
    :param trigger: name of a trigger under ``[triggers]``.
    :param vars: offered to the trigger's templates as ``vars``.
    """

    application: str
    trigger: str
    vars: Mapping[str, JSON] = field(factory=dict)


@frozen(kw_only=True)
class Runs:
    """These runs.

    :param key: the event's own identity. Two deliveries with one key are the same event: the runs are
        made once. Without a key only the delivery's id counts.
    :param version: sorts the events of one application by age (RFC 3339 time, UTC). An older event that
        arrives after a newer one makes no runs.
    :param title: names the event in messages to people, such as ``v1.2.3``.
    :param allow_older: make the runs even though a newer version was accepted before.
    """

    runs: tuple[PlannedRun, ...]
    key: str | None = None
    version: str | None = None
    title: str = ""
    allow_older: bool = False


Decision: TypeAlias = Pong | Ignored | Runs
