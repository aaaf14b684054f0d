"""The bundled integrations beside GitHub's: any bytes are refused, or understood."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from attrs import evolve

from duct_tape.api import (
    Filter,
    MalformedError,
    RawDelivery,
    Receiver,
    ReleasePublished,
    Rule,
    Runs,
    Sample,
    Secret,
    SignatureError,
    Template,
    TriggerName,
    UnsupportedMediaError,
)
from duct_tape_bitbucket.conf import BitbucketConf, BitbucketRepository
from duct_tape_bitbucket.plugin import receiver as bitbucket
from duct_tape_gitea.conf import GiteaConf, GiteaRepository
from duct_tape_gitea.plugin import receiver as gitea
from duct_tape_gitlab.conf import GitLabConf
from duct_tape_gitlab.conf import Repository as Project
from duct_tape_gitlab.plugin import receiver as gitlab
from duct_tape_registry.conf import RegistryConf
from duct_tape_registry.conf import Repository as Image
from duct_tape_registry.plugin import receiver as registry
from duct_tape_standard_webhooks.conf import StandardWebhooksConf
from duct_tape_standard_webhooks.plugin import receiver as standard_webhooks
from duct_tape_webhook.conf import HmacConf, WebhookConf
from duct_tape_webhook.plugin import receiver as webhook
from fuzzing.oracle import Target, hold

REPOSITORY = "acme/site"
SECRETS = (Secret("fuzzing", b"only for this fuzzing"),)
TRIGGERS = (TriggerName("deploy"),)
KINDS = ("release", "tag", "branch", "build", "package")
GITEA = GiteaConf(
    secrets=SECRETS,
    triggers=TRIGGERS,
    repositories={REPOSITORY: GiteaRepository(application=Template("site"), on=("release", "tag", "branch"))},
)

BITBUCKET = BitbucketConf(
    secrets=SECRETS,
    triggers=TRIGGERS,
    repositories={REPOSITORY: BitbucketRepository(application=Template("site"), on=("tag", "branch"))},
)

GITLAB = GitLabConf(
    secrets=SECRETS,
    triggers=TRIGGERS,
    repositories={REPOSITORY: Project(application=Template("site"), on=("release", "tag", "branch", "build"))},
)

IMAGES = {REPOSITORY: Image(application=Template("site"))}
DOCKER_HUB = RegistryConf(kind="docker-hub", secrets=SECRETS, triggers=TRIGGERS, repositories=IMAGES)
GHCR = RegistryConf(kind="ghcr", secrets=SECRETS, triggers=TRIGGERS, repositories=IMAGES)

RULE = Rule(
    application=Template("site"),
    repository=Template(REPOSITORY),
    version=Template("{{ payload.version }}"),
    published_at=Template("{{ payload.at }}"),
    when=Filter('payload.version matches "v*"'),
)
RULES: Any = {"secrets": (Secret("fuzzing", b"whsec_" + b"A" * 32),), "triggers": TRIGGERS, "rules": {"one": RULE}}
PAYLOAD = b'{"type": "release.published", "version": "v1", "at": "2026-01-02T03:04:05Z"}'
WEBHOOK = webhook(WebhookConf(**RULES, hmac=HmacConf(header="X-Signature"), delivery_header="X-Id"))
STANDARD = standard_webhooks(StandardWebhooksConf(**RULES))


def target(name: str, receiver: Receiver) -> Target:
    """Signature, parse and decision of one integration."""
    return Target(name, _fuzzed(receiver), lambda: _inputs(receiver))


def _fuzzed(receiver: Receiver) -> Callable[[bytes], None]:
    def fuzzed(data: bytes) -> None:
        head, _, body = data.partition(b"\n\n")
        pairs = [line.partition(b": ") for line in head.split(b"\n")]
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, _, value in pairs]
        delivery = RawDelivery.build(headers, body)
        _refused(receiver, delivery)
        try:
            told = receiver.understood(delivery)
        except (MalformedError, UnsupportedMediaError) as error:
            hold(len(str(error)) < 2000, "an endless error")
            return
        for event, decision in told:
            if isinstance(decision, Runs):
                hold(isinstance(event, ReleasePublished) and event.repository.lower() == REPOSITORY, "another")

    return fuzzed


def _refused(receiver: Receiver, delivery: RawDelivery) -> None:
    try:
        receiver.verifier.verify(delivery)
    except SignatureError as error:
        hold(str(error) == "the signature is missing or wrong", f"a hint: {error}")
        return
    hold(False, "a signature was accepted that nobody made")


def _inputs(receiver: Receiver) -> Iterator[bytes]:
    for kind in KINDS:
        made = (
            receiver.sample(Sample(repository=REPOSITORY, kind=kind)) if receiver.sample else RawDelivery.build({}, b"")
        )
        yield "\n".join(f"{name}: {value}" for name, value in made.headers).encode("latin-1") + b"\n\n" + made.body


TARGETS = (
    target("bitbucket", bitbucket(BITBUCKET)),
    target("gitea", gitea(GITEA)),
    target("gitlab", gitlab(GITLAB)),
    target("docker-hub", registry(DOCKER_HUB)),
    target("ghcr", registry(GHCR)),
    target("webhook", evolve(WEBHOOK, sample=lambda wanted: WEBHOOK.simulated("", PAYLOAD))),
    target("standard-webhooks", evolve(STANDARD, sample=lambda wanted: STANDARD.simulated("", PAYLOAD))),
)
