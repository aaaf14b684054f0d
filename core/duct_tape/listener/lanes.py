"""Lanes: which deploy may start now. One per application at a time, and at most one more waiting, the newest."""

from __future__ import annotations

from attrs import define, field

from duct_tape.listener.claims import Order


@define(eq=False)
class Lanes:
    """Pure bookkeeping, without clock or folder.

    :param limit: how many deploys of different applications run beside each other.
    """

    limit: int
    _running: dict[str, Order] = field(factory=dict, init=False)
    _waiting: dict[str, Order] = field(factory=dict, init=False)

    def offer(self, order: Order) -> Order | None:
        """Let ``order`` wait for its turn; gives back the order that it overtakes, if there is one.

        The newer one takes over the older one's place in the queue, so that releases in quick succession do
        not push an application back for ever.
        """
        overtaken = self._waiting.get(order.application)
        self._waiting[order.application] = order
        return overtaken

    def next(self) -> Order | None:
        """The order to start now, which counts as running from here on."""
        if len(self._running) >= self.limit:
            return None
        application = next((name for name in self._waiting if name not in self._running), None)
        if application is None:
            return None
        order = self._running[application] = self._waiting.pop(application)
        return order

    def withdraw(self, order: Order) -> None:
        """Let an order that waits have no turn."""
        del self._waiting[order.application]

    def done(self, order: Order) -> None:
        del self._running[order.application]

    @property
    def running(self) -> list[Order]:
        return list(self._running.values())

    @property
    def waiting(self) -> list[Order]:
        return list(self._waiting.values())

    def runs(self) -> set[str]:
        return {order.flag.run for order in (*self.running, *self.waiting)}

    def claim_ids(self) -> set[str]:
        return {order.claim.id for order in (*self.running, *self.waiting)}
