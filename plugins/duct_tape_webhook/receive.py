"""Deliveries of any sender: verify and parse. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from duct_tape.api import (
    DuctTapeError,
    Event,
    Hmac,
    RawDelivery,
    SharedToken,
    Template,
    Verifier,
    identity,
    json_bytes,
    parse_json,
)
from duct_tape_webhook.conf import WebhookConf

# The sender has a name for its event, or has none: where it stands only the rules know.
NAME = "webhook"
_ID = re.compile(r"[!-~]{1,200}")


def verifier(conf: WebhookConf) -> Verifier:
    """As the configuration says, and never as a delivery does."""
    if conf.hmac is not None:
        return Hmac(
            conf.hmac.header,
            secrets=conf.secrets,
            algorithm=conf.hmac.algorithm,
            encoding=conf.hmac.encoding,
            prefix=conf.hmac.prefix,
        )
    assert conf.token is not None  # noqa: S101 - the configuration's own check has seen to it
    return SharedToken(conf.token.header, secrets=conf.secrets, prefix=conf.token.prefix)


def parse(delivery: RawDelivery, conf: WebhookConf) -> Sequence[Event]:
    """What the rules make of a verified delivery.

    :raises UnsupportedMediaError: the body is not JSON, nor a form where one is configured.
    :raises MalformedError: it is not a JSON object.
    """
    payload = parse_json(json_bytes(delivery, form=conf.form))
    number = _in_body(conf.delivery, payload) or identity(delivery, conf.delivery_header or "")
    return conf.read(Event(name=NAME, delivery=number, payload=payload))


def _in_body(template: Template | None, payload: dict[str, Any]) -> str:
    """The id in the body; empty where there is none."""
    try:
        text = template.render({"payload": payload}) if template else ""
    except DuctTapeError:
        return ""
    return text if _ID.fullmatch(text) else ""
