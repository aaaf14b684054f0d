"""An instance's table, ``[plugins.NAME]`` with ``use = "webhook"``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from attrs import frozen

from duct_tape.api import Problem, RulesConf, Secret, Template, option, secrets_problems

# RFC 9110, section 5.6.2.
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_PREFIX = re.compile(r"[ -~]{0,100}")


@frozen(kw_only=True)
class HmacConf:
    """A signature over the body, in a header."""

    header: str = option("The header that holds the signature, such as `X-Signature`.")
    algorithm: Literal["sha256", "sha384", "sha512"] = option("What the sender signs with.", default="sha256")
    encoding: Literal["hex", "base64"] = option("How the sender writes the signature down.", default="hex")
    prefix: str = option("What stands before the signature, such as `sha256=`.", default="")

    def ducttape_problems(self) -> Iterator[Problem]:
        """What the types cannot say."""
        yield from _problems(self.header, self.prefix)


@frozen(kw_only=True)
class TokenConf:
    """A secret that the sender shows in a header. Weaker than a signature: it says nothing about the body."""

    header: str = option("The header that holds the secret, such as `Authorization`.")
    prefix: str = option('What stands before the secret, such as `"Bearer "`.', default="")

    def ducttape_problems(self) -> Iterator[Problem]:
        """What the types cannot say."""
        yield from _problems(self.header, self.prefix)


@frozen(kw_only=True)
class WebhookConf(RulesConf):
    """A sender without a plugin of its own: how it proves itself, and what is deployed because of it."""

    secrets: tuple[Secret, ...] = option(
        'The secret that the sender has too: `{ env = "NAME" }` or `{ file = "PATH" }`. Several, so that it can be '
        "changed without losing a delivery."
    )
    hmac: HmacConf | None = option("How the sender signs. Either this or `token`.", default=None)
    token: TokenConf | None = option("Where the sender shows the secret, if it cannot sign.", default=None)
    form: str | None = option(
        "The field that holds the JSON, where the sender sends a form. JSON as the whole body is read as well.",
        default=None,
    )
    delivery_header: str | None = option(
        "The header with the sender's id of a delivery, which is the same when it sends it again.", default=None
    )
    delivery: Template | None = option(
        'That id, where it is in the body, such as `"{{ payload.id }}"`. Without an id it is a digest of the body.',
        default=None,
    )

    def ducttape_problems(self) -> Iterator[Problem]:
        """What the types cannot say."""
        yield from secrets_problems(self.secrets)
        if (self.hmac is None) == (self.token is None):
            message = "there is neither `hmac` nor `token`," if self.hmac is None else "there are `hmac` and `token`,"
            yield Problem(message=message, hint="one of them says how the sender proves itself")
        if self.delivery_header is not None and self.delivery is not None:
            hint = "the id of a delivery is in one place"
            yield Problem(message="there are `delivery` and `delivery_header`,", path="delivery", hint=hint)
        if self.delivery_header is not None:
            yield from _problems(self.delivery_header, "", "delivery_header")
        yield from super().ducttape_problems()


def _problems(header: str, prefix: str, path: str = "header") -> Iterator[Problem]:
    if not _HEADER.fullmatch(header):
        yield Problem(message=f"{header[:80]!r} is no name of a header,", path=path, hint='write "X-Signature"')
    if not _PREFIX.fullmatch(prefix):
        yield Problem(message="no header can begin with that,", path="prefix", hint="printable ASCII characters only")
