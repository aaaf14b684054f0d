"""The plugin's table, ``[plugins.standard-webhooks]``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from attrs import frozen

from duct_tape.api import Problem, RulesConf, Secret, option, secrets_problems, standard_webhooks_problems


@frozen(kw_only=True)
class StandardWebhooksConf(RulesConf):
    """A sender that follows Standard Webhooks, and what is deployed because of it."""

    secrets: tuple[Secret, ...] = option(
        'The signing secret, `whsec_…`: `{ env = "NAME" }` or `{ file = "PATH" }`. Several, so that it can be changed '
        "without losing a delivery."
    )
    prefix: Literal["webhook-", "svix-"] = option(
        "How the names of the three headers begin. Svix sends `svix-id`, unless its customer set another.",
        default="webhook-",
    )

    def ducttape_problems(self) -> Iterator[Problem]:
        """What the types cannot say."""
        yield from secrets_problems(self.secrets)
        yield from standard_webhooks_problems(self.secrets)
        yield from super().ducttape_problems()
