"""The integration for Bitbucket Cloud and Data Center: tags and pushes become runs."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from duct_tape.api import Context, Receiver, ReceiverRoute, hookimpl
from duct_tape_bitbucket import receive
from duct_tape_bitbucket.conf import BitbucketConf
from duct_tape_bitbucket.sample import sample

DUCT_TAPE_API = (1, 0)


@hookimpl
def ducttape_config_class() -> type:
    """The plugin's configuration."""
    return BitbucketConf


@hookimpl
def ducttape_routes(ctx: Context) -> Iterable[ReceiverRoute]:
    """One route: the webhook's URL."""
    return [ReceiverRoute(receiver(ctx.config))]


def receiver(conf: BitbucketConf) -> Receiver:
    """The integration's pure functions for one configuration."""
    return Receiver(
        verifier=receive.verifier(conf.secrets),
        parse=receive.parse,
        decide=conf.decide,
        simulated=receive.simulated,
        sample=partial(sample, flavour=conf.flavour),
    )
