"""The integration for senders that have none of their own: the configuration says how they are understood."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from duct_tape.api import Context, RawDelivery, Receiver, ReceiverRoute, Sample, hookimpl
from duct_tape_webhook import receive
from duct_tape_webhook.conf import WebhookConf

DUCT_TAPE_API = (1, 0)


@hookimpl
def ducttape_config_class() -> type:
    """The plugin's configuration."""
    return WebhookConf


@hookimpl
def ducttape_routes(ctx: Context) -> Iterable[ReceiverRoute]:
    """One route: the webhook's URL."""
    return [ReceiverRoute(receiver(ctx.config))]


def receiver(conf: WebhookConf) -> Receiver:
    """The integration's functions for one configuration."""
    return Receiver(
        verifier=receive.verifier(conf),
        parse=partial(receive.parse, conf=conf),
        decide=conf.decide,
        reread=conf.read,
        simulated=lambda event, body: simulated(body),
        sample=partial(sample, conf=conf) if conf.has_samples else None,
    )


def sample(wanted: Sample, conf: WebhookConf) -> RawDelivery:
    """The sample of a rule, as its file has it. ``action`` names the rule; by default it is the first with a file.

    :raises DuctTapeError: the file cannot be read.
    """
    return simulated(conf.sample_of(wanted.action))


def simulated(body: bytes) -> RawDelivery:
    """The delivery of a body, unsigned. Without the header that may hold its id: the body's digest does for that."""
    return RawDelivery.build({"Content-Type": "application/json"}, body)
