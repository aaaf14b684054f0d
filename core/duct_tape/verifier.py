"""What every way of proving where a delivery comes from has in common."""

from __future__ import annotations

from typing import Protocol

from duct_tape.delivery import RawDelivery

# One text for every kind of refusal: it must not tell a stranger how near they were.
REFUSED = "the signature is missing or wrong"


class Verifier(Protocol):
    """How an integration knows that a delivery comes from its sender.

    ``Hmac``, ``SharedToken``, ``SecretPath`` and ``StandardWebhooks`` are verifiers. A class of your own needs these
    three methods. They do no I/O and are total: any headers and any bytes pass or raise ``SignatureError``.
    """

    def admit(self, delivery: RawDelivery) -> None:
        """Refuse what ``verify`` will refuse, as far as headers and path alone show it. The body is not read yet.

        :raises SignatureError: ``verify`` would raise it for any body.
        """

    def verify(self, delivery: RawDelivery) -> None:
        """Refuse what is not from the sender.

        :raises SignatureError: it is not, or it cannot be told.
        """

    def sign(self, delivery: RawDelivery) -> RawDelivery:
        """The delivery as the sender would have signed it, for tests and for ``duct-tape <instance> send``."""
        ...
