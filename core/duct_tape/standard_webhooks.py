"""Standard Webhooks: id, time and body signed together, with several signatures while keys are changed.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import time
import uuid
from collections.abc import Callable, Iterator, Sequence

from attrs import field, frozen

from duct_tape.delivery import RawDelivery
from duct_tape.errors import Problem, SignatureError
from duct_tape.secret import Secret
from duct_tape.verifier import REFUSED

# Of the specification: keys have 24 to 64 bytes, times differ by five minutes at most.
_KEY_BYTES = range(24, 65)
TOLERANCE = 300.0
# No sender rotates more keys at once; each costs a comparison.
_MAX_SIGNATURES = 16

_ID = re.compile(r"[!-\-/-~]{1,200}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_V1 = re.compile(rb"[A-Za-z0-9+/]{43}=")


@frozen
class StandardWebhooks:
    """A verifier for Standard Webhooks, signatures of version ``v1`` (HMAC-SHA256).

    :param secrets: ``whsec_`` and 24 to 64 bytes in base64; all are tried.
    :param prefix: of the three headers: ``webhook-``, or ``svix-`` with older servers of Svix.
    :param tolerance: seconds that the sender's clock may differ from ours, both ways.
    :param clock: seconds since the epoch.
    """

    secrets: Sequence[Secret] = field(kw_only=True)
    prefix: str = field(kw_only=True, default="webhook-")
    tolerance: float = field(kw_only=True, default=TOLERANCE)
    # Looked up at each call, so that the test kit's clock counts.
    clock: Callable[[], float] = field(kw_only=True, default=lambda: time.time())

    def admit(self, delivery: RawDelivery) -> None:
        """Refuse what lacks one of the three headers, or is too old or too young."""
        self._claimed(delivery)

    def verify(self, delivery: RawDelivery) -> None:
        """Refuse what none of the secrets signed."""
        identity, moment, claimed = self._claimed(delivery)
        good = False
        for secret in self.secrets:
            expected = _digest(secret, identity, moment, delivery.body)
            for signature in claimed:
                good |= expected is not None and hmac.compare_digest(expected, signature)
        if not good:
            raise SignatureError(REFUSED)

    def sign(self, delivery: RawDelivery) -> RawDelivery:
        """The delivery with the three headers, of now; an id that it has is kept."""
        identity = delivery.value(f"{self.prefix}id")
        if identity is None:
            identity = f"msg_{uuid.uuid4().hex}"
            delivery = delivery.with_header(f"{self.prefix}id", identity)
        moment = str(int(self.clock()))
        digest = _digest(self.secrets[0], identity, moment, delivery.body) or b""
        stamped = delivery.with_header(f"{self.prefix}timestamp", moment)
        return stamped.with_header(f"{self.prefix}signature", f"v1,{digest.decode('ascii')}")

    def _claimed(self, delivery: RawDelivery) -> tuple[str, str, list[bytes]]:
        identity, moment, signatures = (
            delivery.value(f"{self.prefix}{name}") or "" for name in ("id", "timestamp", "signature")
        )
        if _ID.fullmatch(identity) and _TIMESTAMP.fullmatch(moment):
            claimed = [
                value.removeprefix("v1,").encode("utf-8", "surrogatepass")
                for value in signatures.split(" ")[:_MAX_SIGNATURES]
                if value.startswith("v1,")
            ]
            formed = [value for value in claimed if _V1.fullmatch(value)]
            if formed and abs(self.clock() - int(moment)) <= self.tolerance:
                return identity, moment, formed
        raise SignatureError(REFUSED)


def standard_webhooks_problems(secrets: Sequence[Secret], path: str = "secrets") -> Iterator[Problem]:
    """What is wrong with the secrets, for ``ducttape_problems`` of a configuration class."""
    for secret in secrets:
        if _key(secret) is None:
            message = f"the {secret.source} holds no secret of Standard Webhooks,"
            yield Problem(
                message=message, path=path, hint="`whsec_` and 24 to 64 bytes in base64; copy it from the sender"
            )


def _digest(secret: Secret, identity: str, moment: str, body: bytes) -> bytes | None:
    key = _key(secret)
    if key is None:
        return None
    return base64.b64encode(hmac.digest(key, f"{identity}.{moment}.".encode("ascii") + body, "sha256"))


def _key(secret: Secret) -> bytes | None:
    try:
        key = base64.b64decode(secret.reveal().strip().removeprefix(b"whsec_"), validate=True)
    except binascii.Error:
        return None
    return key if len(key) in _KEY_BYTES else None
