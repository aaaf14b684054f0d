"""The integration for Gitea, Forgejo and Gogs: releases, tags and pushes become runs."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from duct_tape.api import Context, Receiver, ReceiverRoute, hookimpl
from duct_tape_gitea import receive
from duct_tape_gitea.conf import GiteaConf
from duct_tape_gitea.sample import sample

DUCT_TAPE_API = (1, 0)


@hookimpl
def ducttape_config_class() -> type:
    """The plugin's configuration."""
    return GiteaConf


@hookimpl
def ducttape_routes(ctx: Context) -> Iterable[ReceiverRoute]:
    """One route: the webhook's URL."""
    return [ReceiverRoute(receiver(ctx.config))]


def receiver(conf: GiteaConf) -> Receiver:
    """The integration's pure functions for one configuration."""
    return Receiver(
        verifier=receive.verifier(conf.secrets, conf.flavour),
        parse=partial(receive.parse, flavour=conf.flavour),
        decide=conf.decide,
        simulated=partial(receive.simulated, flavour=conf.flavour),
        sample=partial(sample, flavour=conf.flavour),
    )
