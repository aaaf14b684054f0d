"""An integration made with the toolbox, as a stranger would write it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from types import ModuleType

from attrs import frozen
from tests.server_support import plugin

from duct_tape.api import (
    Event,
    Hmac,
    RawDelivery,
    Receiver,
    ReceiverRoute,
    Release,
    ReleasePublished,
    RepositoriesConf,
    Sample,
    Secret,
    SignatureError,
    header,
    json_bytes,
    member,
    moment,
    option,
    parse_json,
)

SECRET = "4f1d0c5a9b3e4c7d8a6f"

CONFIGURATION = """
[triggers.deploy]
action = "touch-file"

[plugins.touch-file]

[plugins.forge]
secrets = [{ env = "FORGE_SECRET" }]
triggers = ["deploy"]

[plugins.forge.repositories."acme/site"]
application = "site.example.com"
"""


@frozen(kw_only=True)
class ForgeConf(RepositoriesConf):
    """A forge that nobody knows."""

    secrets: tuple[Secret, ...] = option("The secret.")


def parse(delivery: RawDelivery) -> Event | Sequence[Event]:
    """One version, or a list of several under ``versions``."""
    payload, number = parse_json(json_bytes(delivery)), header(delivery, "X-Delivery")
    if "versions" not in payload:
        return version(payload, number)
    return [version({**payload, **one}, number) for one in payload["versions"]]


def version(payload: dict[str, object], number: str) -> Event:
    repository, tag = member(payload, "repository", str), member(payload, "tag", str, null=True)
    if tag is None:
        return Event(name="push", action="deleted", delivery=number, repository=repository, payload=payload)
    release = Release(
        id=tag,
        tag=tag,
        kind=member(payload, "kind", str),
        prerelease=member(payload, "prerelease", bool),
        published_at=moment(payload, "at"),
    )
    return ReleasePublished(
        name="version", action="made", delivery=number, repository=repository, release=release, payload=payload
    )


def sample(wanted: Sample) -> RawDelivery:
    payload = {
        "repository": wanted.repository,
        "tag": wanted.tag,
        "kind": wanted.kind,
        "prerelease": wanted.prerelease,
        "at": wanted.published_at,
    }
    headers = {"Content-Type": "application/json", "X-Delivery": f"{wanted.repository}@{wanted.tag}"}
    return RawDelivery.build(headers, json.dumps(payload).encode())


def forge() -> ModuleType:
    """The plugin."""

    def receiver(conf: ForgeConf) -> Receiver:
        return Receiver(
            verifier=Hmac("X-Signature", secrets=conf.secrets, algorithm="sha512", encoding="base64"),
            parse=parse,
            decide=conf.decide,
            sample=sample,
        )

    return plugin(config_class=lambda: ForgeConf, routes=lambda ctx: [ReceiverRoute(receiver(ctx.config))])


def refused(check: Callable[[RawDelivery], None], delivery: RawDelivery) -> bool:
    """Whether ``admit`` or ``verify`` of a verifier refuses a delivery, which it has to do with the one text."""
    try:
        check(delivery)
    except SignatureError as error:
        told = (str(error), error.__cause__)
    else:
        return False
    assert told == ("the signature is missing or wrong", None)
    return True
