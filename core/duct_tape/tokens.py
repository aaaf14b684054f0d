"""Secrets that a sender shows instead of signing with them: weaker, since they do not cover the body."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence

from attrs import field, frozen

from duct_tape.delivery import RawDelivery
from duct_tape.errors import SignatureError
from duct_tape.secret import Secret
from duct_tape.verifier import REFUSED

# What a URL holds without percent signs: RFC 3986, section 2.3.
_UNRESERVED = re.compile(rb"[A-Za-z0-9._~-]+")


@frozen
class SharedToken:
    """A verifier: a secret in a header, such as ``X-Gitlab-Token`` or ``Authorization: Bearer …``.

    :param header: the header that holds the token; sent twice it is refused.
    :param secrets: all are tried, so that a token can be changed without losing deliveries.
    :param prefix: what stands before the token, such as ``"Bearer "``.
    """

    header: str
    secrets: Sequence[Secret] = field(kw_only=True)
    prefix: str = field(kw_only=True, default="")

    def admit(self, delivery: RawDelivery) -> None:
        """Refuse every other token; the body has no part in it."""
        value = delivery.value(self.header)
        if value is None or not value.startswith(self.prefix):
            raise SignatureError(REFUSED)
        try:
            # A header's bytes, which the server has decoded as HTTP does.
            claimed = value.removeprefix(self.prefix).encode("latin-1")
        except UnicodeEncodeError:
            raise SignatureError(REFUSED) from None
        _refuse_unless_known(claimed, self.secrets)

    def verify(self, delivery: RawDelivery) -> None:
        """Refuse every other token."""
        self.admit(delivery)

    def sign(self, delivery: RawDelivery) -> RawDelivery:
        """The delivery with the first token."""
        return delivery.with_header(self.header, self.prefix + self.secrets[0].reveal().decode("latin-1"))


@frozen
class SecretPath:
    """A verifier for senders that can neither sign nor send a header: the secret is the end of the URL.

    The route's path has to be ``"/{secret:path}"``, so that whatever is not the secret is refused in the same way. Duct
    Tape logs no paths below an integration, but a proxy may.
    """

    secrets: Sequence[Secret] = field(kw_only=True)

    def admit(self, delivery: RawDelivery) -> None:
        """Refuse every other URL; the body has no part in it."""
        claimed = delivery.path.removeprefix("/").encode("utf-8", "surrogatepass")
        _refuse_unless_known(claimed, self.secrets)

    def verify(self, delivery: RawDelivery) -> None:
        """Refuse every other URL."""
        self.admit(delivery)

    def sign(self, delivery: RawDelivery) -> RawDelivery:
        """The delivery to the URL with the first secret."""
        return delivery.to_path("/" + self.secrets[0].reveal().decode("utf-8"))


def fits_path(secret: Secret) -> bool:
    """Whether a secret can stand in a URL as it is."""
    return _UNRESERVED.fullmatch(secret.reveal()) is not None


def _refuse_unless_known(claimed: bytes, secrets: Sequence[Secret]) -> None:
    shown = hashlib.sha256(claimed).digest()
    # Digests, since `compare_digest` tells the length of what it compares. And no early exit.
    good = False
    for secret in secrets:
        known = hashlib.sha256(secret.reveal()).digest()
        good |= bool(secret.reveal()) and hmac.compare_digest(known, shown)
    if not good:
        raise SignatureError(REFUSED)
