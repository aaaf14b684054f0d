"""The registry integration: images that are pushed to Docker Hub or to GitHub's registry become runs."""

from __future__ import annotations

from collections.abc import Iterable

from duct_tape.api import Context, Receiver, ReceiverRoute, SecretPath, hookimpl
from duct_tape_registry import docker_hub, ghcr, sample
from duct_tape_registry.conf import RegistryConf

DUCT_TAPE_API = (1, 0)


@hookimpl
def ducttape_config_class() -> type:
    """The plugin's configuration."""
    return RegistryConf


@hookimpl
def ducttape_routes(ctx: Context) -> Iterable[ReceiverRoute]:
    """One route: the webhook's URL."""
    conf: RegistryConf = ctx.config
    # With Docker Hub everything below the instance, so that whatever is not the secret is refused in the same way.
    return [ReceiverRoute(receiver(conf), "/{secret:path}" if conf.kind == "docker-hub" else "/")]


def receiver(conf: RegistryConf) -> Receiver:
    """The integration's pure functions for one configuration, which alone says how deliveries are verified."""
    if conf.kind == "docker-hub":
        verifier = SecretPath(secrets=conf.secrets)
        return Receiver(verifier=verifier, parse=docker_hub.parse, decide=conf.decide, sample=sample.docker_hub)
    return Receiver(
        verifier=ghcr.verifier(conf.secrets),
        parse=ghcr.parse,
        decide=conf.decide,
        simulated=ghcr.simulated,
        sample=sample.github,
    )
