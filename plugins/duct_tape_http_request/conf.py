"""The plugin's table, and the keys of its triggers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from attrs import frozen

from duct_tape.api import Problem, Secret, Template, option
from duct_tape_http_request.address import entry_problem

Method: TypeAlias = Literal["POST", "PUT", "PATCH", "DELETE", "GET"]

MAX_SECONDS = 300
MAX_ATTEMPTS = 50
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
# They say how the request is sent, which is not for a trigger to say.
_OURS = frozenset(
    "host connection content-length transfer-encoding te trailer upgrade expect keep-alive proxy-authorization".split()
)


@frozen(kw_only=True)
class HttpRequestConf:
    """Which other systems may be told."""

    hosts: tuple[str, ...] = option(
        "The only hosts that are ever called: `host` for the port that belongs to the scheme, or `host:port`. There "
        "are no patterns."
    )
    insecure: bool = option(
        "Whether `http://` may go to other machines than this one. Then everybody on the way can read and change what "
        "is sent, tokens included.",
        default=False,
    )
    ca: Path | None = option(
        "PEM file with the certificate authorities that are trusted in the place of the machine's own.", default=None
    )

    def ducttape_problems(self) -> Iterator[Problem]:
        """What the types cannot say."""
        if not self.hosts:
            yield Problem(message="`hosts` is empty,", path="hosts", hint="nobody could be called")
        for index, entry in enumerate(self.hosts):
            if problem := entry_problem(entry):
                yield Problem(message=f"{entry[:80]!r} {problem},", path=f"hosts[{index}]")


@frozen(kw_only=True)
class HttpRequestSettings:
    """The keys of a trigger with ``action = "http-request"``."""

    url: Template | None = option(
        "What is called. A value that a stranger chose, such as a tag, goes through the filter `urlencode`.",
        default=None,
    )
    secret_url: Secret | None = option(
        "The same where the URL itself is a secret, in the place of `url`.", default=None
    )
    method: Method = option("How it is called.", default="POST")
    headers: Mapping[str, Template] = option("Headers of the request.", factory=dict)
    token: Secret | None = option("Sent as `Authorization: Bearer …`.", default=None)
    secret_headers: Mapping[str, Secret] = option(
        "Headers whose value is a secret, the whole of it: `Basic …` with its first word.", factory=dict
    )
    body: Template | None = option(
        "What is sent. Without it: the line of JSON that a flag holds; with `GET` and `DELETE` nothing.", default=None
    )
    timeout: float = option("Seconds that everything may take, from the name's look-up to the answer.", default=10.0)
    expect: tuple[int, ...] = option("The statuses that are good.", default=(), shown="200 to 299")
    attempts: int = option(
        "After so many the run fails: where nobody answers, or with 429 or 500 and above. What else is not good is not "
        "tried again.",
        default=8,
    )

    def ducttape_problems(self) -> Iterator[Problem]:
        """What the types cannot say."""
        if (self.url is None) == (self.secret_url is None):
            yield Problem(message="expected either `url` or `secret_url`,")
        yield from _header_problems("headers", self.headers)
        yield from _header_problems("secret_headers", self.secret_headers)
        given = [*self.headers, *self.secret_headers, *(["Authorization"] if self.token else [])]
        for name, count in Counter(map(str.lower, given)).items():
            if count > 1:
                yield Problem(message=f"the header `{name}` is there {count} times,", hint="give it once")
        # Compared so that NaN is in no range.
        if not 0 < self.timeout <= MAX_SECONDS:
            yield Problem(message=f"expected a number of seconds above 0, at most {MAX_SECONDS},", path="timeout")
        if not 1 <= self.attempts <= MAX_ATTEMPTS:
            yield Problem(message=f"expected a number from 1 to {MAX_ATTEMPTS},", path="attempts")
        for index, status in enumerate(self.expect):
            if not 200 <= status <= 599:
                yield Problem(message="expected a status from 200 to 599,", path=f"expect[{index}]")


def _header_problems(key: str, names: Iterable[str]) -> Iterator[Problem]:
    for name in names:
        if not _NAME.fullmatch(name):
            yield Problem(message=f"{name[:80]!r} is not the name of a header,", path=key)
        elif name.lower() in _OURS:
            yield Problem(message=f"the header `{name}` cannot be chosen,", path=key)
