"""The sender's side, without a sender: what it would send, and what would come of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from attrs import evolve

from duct_tape.delivery import Ignored, RawDelivery, Runs
from duct_tape.errors import DuctTapeError, MalformedError, PermanentError, Problem, UnsupportedMediaError
from duct_tape.events import Event
from duct_tape.plugins.instance import Instance
from duct_tape.repositories import RepositoriesConf, repository_path
from duct_tape.sample import Sample, samples
from duct_tape.web.receive import Receiver, ReceiverRoute

if TYPE_CHECKING:
    from duct_tape.assembly import Assembly


def receiver_of(assembly: Assembly, name: str) -> Receiver:
    """The functions of an integration.

    :raises DuctTapeError: there is no such integration, or it is off.
    """
    instance = assembly.instance(name)
    if instance is None:
        known = ", ".join(instance.name for instance in assembly.registry)
        raise DuctTapeError(f"there is no `{name}` under [plugins]; there are: {known or 'none'}")
    if not instance.on:
        raise DuctTapeError(f"plugin {name} is off: {instance.failed_stage}: {instance.failure}")
    receiver = _receiver(instance)
    if receiver is None:
        raise DuctTapeError(f"plugin {name} receives no webhooks")
    return receiver


def sample_delivery(assembly: Assembly, name: str, sample: Sample | None = None, *, signed: bool = True) -> RawDelivery:
    """What the sender of an integration would send.

    :param sample: by default a version of the first repository that is configured.
    :raises DuctTapeError: there is no such integration, or it has no samples.
    """
    receiver = receiver_of(assembly, name)
    if receiver.sample is None:
        raise DuctTapeError(f"plugin {name} has no sample: name a file with a payload")
    delivery = receiver.sample(sample or first_sample(assembly, name))
    return receiver.verifier.sign(delivery) if signed else delivery


def first_sample(assembly: Assembly, name: str) -> Sample:
    """A version of the first repository that is configured; an invented one where there is none."""
    instance = assembly.instance(name)
    conf = instance.config if instance else None
    return next(samples(conf), Sample()) if isinstance(conf, RepositoriesConf) else Sample()


def problems_of(assembly: Assembly, instance: Instance) -> Iterator[Problem]:
    """What would go wrong with a version of each configured repository, of each kind."""
    receiver = _receiver(instance)
    conf = instance.config
    if receiver is None or receiver.sample is None or not isinstance(conf, RepositoriesConf):
        return
    for name, repository in conf.repositories.items():
        # A sample's name may miss a pattern, or a filter; no template may be left unrendered because of that.
        lenient = evolve(repository, tags=(), branches=(), when=None)
        alone = evolve(conf, repositories={name: lenient})
        told: dict[str, None] = {}
        for sample in samples(evolve(conf, repositories={name: repository})):
            told |= dict.fromkeys(_failures(assembly, instance, alone, receiver.sample(sample)))
        for message in told:
            yield Problem(message=message, path=f"plugins.{instance.name}.{repository_path(name)}")


def _failures(assembly: Assembly, instance: Instance, conf: RepositoriesConf, delivery: RawDelivery) -> Iterator[str]:
    receiver = _receiver(instance)
    assert receiver is not None  # noqa: S101 - the caller has asked it for its sample
    try:
        parsed = receiver.parse(delivery)
    except (MalformedError, UnsupportedMediaError) as error:
        yield f"the plugin cannot read its own sample: {error},"
        return
    for event in [parsed] if isinstance(parsed, Event) else parsed:
        decision = conf.decide(event)
        kind = event.release.kind if event.release else "version"
        if isinstance(decision, Ignored):
            yield f"a {kind} would not be deployed: {decision.reason},"
        for planned in decision.runs if isinstance(decision, Runs) else ():
            try:
                assembly.preview(instance.name, planned, event)
            except PermanentError as error:
                yield f"a {kind} would fail in trigger `{planned.trigger}`: {error},"


def receives(instance: Instance) -> bool:
    """Whether the instance is an integration."""
    return _receiver(instance) is not None


def _receiver(instance: Instance) -> Receiver | None:
    return next((route.receiver for route in instance.routes if isinstance(route, ReceiverRoute)), None)
