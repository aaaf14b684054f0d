"""Deliveries of Standard Webhooks: parse. Pure functions.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence

from duct_tape.api import Event, MalformedError, RawDelivery, header, json_bytes, member, parse_json
from duct_tape_standard_webhooks.conf import StandardWebhooksConf

# The specification recommends a `type` and does not ask for one.
NAME = "webhook"
_TYPE = re.compile(r"[ -~]{1,200}")


def parse(delivery: RawDelivery, conf: StandardWebhooksConf) -> Sequence[Event]:
    """What the rules make of a verified delivery. Its ``type`` is the event's name.

    :raises UnsupportedMediaError: the body is not JSON.
    :raises MalformedError: it is not a JSON object, or its ``type`` is not a short text.
    """
    payload = parse_json(json_bytes(delivery))
    name = member(payload, "type", str, null=True)
    if name is not None and not _TYPE.fullmatch(name):
        raise MalformedError("`type` is not up to 200 printable characters")
    return conf.read(Event(name=name or NAME, delivery=header(delivery, f"{conf.prefix}id"), payload=payload))


def simulated(body: bytes, prefix: str) -> RawDelivery:
    """The delivery of a body, with an id of its own and unsigned."""
    return RawDelivery.build({"Content-Type": "application/json", f"{prefix}id": f"msg_{uuid.uuid4().hex}"}, body)
