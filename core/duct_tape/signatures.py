"""Signatures over the body. Total functions: any header and any body give an answer."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from typing import Literal

from attrs import field, frozen

from duct_tape.delivery import RawDelivery
from duct_tape.errors import DuctTapeError, SignatureError
from duct_tape.secret import Secret
from duct_tape.verifier import REFUSED

# Not SHA-1: nobody who has the choice signs with it any more, and a fallback is a downgrade.
Algorithm = Literal["sha256", "sha384", "sha512"]
Encoding = Literal["hex", "base64"]


def _body(delivery: RawDelivery) -> bytes:
    return delivery.body


@frozen
class Hmac:
    """A verifier: an HMAC over the body (RFC 2104), in a header.

    Algorithm, encoding and prefix are the configuration's and never the delivery's: a sender must not choose how well
    it is checked.

    :param header: the header that holds the signature; sent twice it is refused.
    :param secrets: all are tried, so that a secret can be changed without losing deliveries.
    :param prefix: what stands before the digest, such as ``sha256=``.
    :param encoding: of the digest. Hexadecimal digits in lower case only, base64 with its padding only.
    :param signed: the bytes that the sender signs, where they are not the body as it was sent.
    """

    header: str
    secrets: Sequence[Secret] = field(kw_only=True)
    algorithm: Algorithm = field(kw_only=True, default="sha256")
    encoding: Encoding = field(kw_only=True, default="hex")
    prefix: str = field(kw_only=True, default="")
    signed: Callable[[RawDelivery], bytes] = field(kw_only=True, default=_body)
    _form: re.Pattern[bytes] = field(init=False, repr=False, eq=False)

    @_form.default
    def _form_of_digest(self) -> re.Pattern[bytes]:
        size = hashlib.new(self.algorithm).digest_size
        if self.encoding == "hex":
            return re.compile(b"[0-9a-f]{%d}" % (2 * size))
        padding = -size % 3
        return re.compile(b"[A-Za-z0-9+/]{%d}={%d}" % (4 * ((size + 2) // 3) - padding, padding))

    def admit(self, delivery: RawDelivery) -> None:
        """Refuse what has no signature of this form."""
        self._claimed(delivery)

    def verify(self, delivery: RawDelivery) -> None:
        """Refuse what none of the secrets signed."""
        claimed = self._claimed(delivery)
        try:
            signed = self.signed(delivery)
        except DuctTapeError:
            raise SignatureError(REFUSED) from None
        # No early exit: the time must not tell which of the secrets matched.
        good = False
        for secret in self.secrets:
            good |= bool(secret.reveal()) and hmac.compare_digest(self._digest(secret, signed), claimed)
        if not good:
            raise SignatureError(REFUSED)

    def sign(self, delivery: RawDelivery) -> RawDelivery:
        """The delivery with the header that the first secret gives."""
        digest = self._digest(self.secrets[0], self.signed(delivery)).decode("ascii")
        return delivery.with_header(self.header, self.prefix + digest)

    def _digest(self, secret: Secret, signed: bytes) -> bytes:
        made = hmac.digest(secret.reveal(), signed, self.algorithm)
        return made.hex().encode("ascii") if self.encoding == "hex" else base64.b64encode(made)

    def _claimed(self, delivery: RawDelivery) -> bytes:
        value = delivery.value(self.header)
        if value is not None and value.startswith(self.prefix):
            # Bytes, since `compare_digest` raises TypeError for text outside ASCII.
            claimed = value.removeprefix(self.prefix).encode("utf-8", "surrogatepass")
            if self._form.fullmatch(claimed):
                return claimed
        raise SignatureError(REFUSED)
