"""The GitLab integration: releases, tags, branches and pipelines of configured projects become runs."""

from __future__ import annotations

from collections.abc import Iterable

from duct_tape.api import Context, Receiver, ReceiverRoute, hookimpl
from duct_tape_gitlab import receive
from duct_tape_gitlab.conf import GitLabConf
from duct_tape_gitlab.sample import sample

DUCT_TAPE_API = (1, 0)


@hookimpl
def ducttape_config_class() -> type:
    """The plugin's configuration."""
    return GitLabConf


@hookimpl
def ducttape_routes(ctx: Context) -> Iterable[ReceiverRoute]:
    """One route: the webhook's URL."""
    return [ReceiverRoute(receiver(ctx.config))]


def receiver(conf: GitLabConf) -> Receiver:
    """The integration's pure functions for one configuration."""
    return Receiver(verifier=receive.verifier(conf), parse=receive.parse, decide=conf.decide, sample=sample)
