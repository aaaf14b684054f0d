"""What GitHub would sign, worked out beside the product, for tests and proofs."""

from __future__ import annotations

import hashlib
import hmac


def github_signature(secret: bytes, body: bytes, prefix: str = "sha256=") -> str:
    """The value of ``X-Hub-Signature-256``."""
    return prefix + hmac.new(secret, body, hashlib.sha256).hexdigest()
