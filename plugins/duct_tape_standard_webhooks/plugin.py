"""The integration for Standard Webhooks, such as Svix sends them for many services."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from duct_tape.api import Context, RawDelivery, Receiver, ReceiverRoute, Sample, StandardWebhooks, hookimpl
from duct_tape_standard_webhooks import receive
from duct_tape_standard_webhooks.conf import StandardWebhooksConf

DUCT_TAPE_API = (1, 0)


@hookimpl
def ducttape_config_class() -> type:
    """The plugin's configuration."""
    return StandardWebhooksConf


@hookimpl
def ducttape_routes(ctx: Context) -> Iterable[ReceiverRoute]:
    """One route: the webhook's URL."""
    return [ReceiverRoute(receiver(ctx.config))]


def receiver(conf: StandardWebhooksConf) -> Receiver:
    """The integration's functions for one configuration."""
    return Receiver(
        verifier=StandardWebhooks(secrets=conf.secrets, prefix=conf.prefix),
        parse=partial(receive.parse, conf=conf),
        decide=conf.decide,
        reread=conf.read,
        simulated=lambda event, body: receive.simulated(body, conf.prefix),
        sample=partial(sample, conf=conf) if conf.has_samples else None,
    )


def sample(wanted: Sample, conf: StandardWebhooksConf) -> RawDelivery:
    """The sample of a rule, as its file has it. ``action`` names the rule; by default it is the first with a file.

    :raises DuctTapeError: the file cannot be read.
    """
    return receive.simulated(conf.sample_of(wanted.action), conf.prefix)
