"""Verification of signatures. Total functions: any header and any body give an answer."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence

from duct_tape.errors import SignatureError
from duct_tape.secret import Secret

REFUSED = "the signature is missing or wrong"
_HEX_DIGEST = re.compile(rb"[0-9a-f]{64}")


def sign_hmac_sha256(secret: bytes, body: bytes, prefix: str = "sha256=") -> str:
    """The header value that a sender computes, for tests and simulations."""
    return prefix + hmac.new(secret, body, hashlib.sha256).hexdigest()


def check_hmac_form(values: Sequence[str], prefix: str = "sha256=") -> None:
    """Check what can be checked of a signature before the body is read.

    :raises SignatureError: it is missing, malformed or sent twice, so that ``verify_hmac_sha256`` refuses it.
    """
    _claimed(values, prefix)


def verify_hmac_sha256(values: Sequence[str], body: bytes, secrets: Sequence[Secret], prefix: str = "sha256=") -> None:
    """Check an HMAC-SHA256 over the raw body, in lower-case hex behind ``prefix``.

    :param values: every value of the signature header; more or fewer than one is refused.
    :param secrets: all are tried, so that a secret can be rotated without losing deliveries.
    :raises SignatureError: it is missing, malformed, sent twice or wrong; the text never says which.
    """
    claimed = _claimed(values, prefix)
    # No early exit: the time must not tell which of the secrets matched.
    good = False
    for secret in secrets:
        expected = hmac.new(secret.reveal(), body, hashlib.sha256).hexdigest().encode("ascii")
        good |= bool(secret.reveal()) and hmac.compare_digest(expected, claimed)
    if not good:
        raise SignatureError(REFUSED)


def _claimed(values: Sequence[str], prefix: str) -> bytes:
    if len(values) == 1 and values[0].startswith(prefix):
        # Bytes, since `compare_digest` raises TypeError for text outside ASCII.
        claimed = values[0].removeprefix(prefix).encode("utf-8", "surrogatepass")
        if _HEX_DIGEST.fullmatch(claimed):
            return claimed
    raise SignatureError(REFUSED)
