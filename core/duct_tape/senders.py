"""The sender's side, without a sender: what it would send, and what would come of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from attrs import evolve

from duct_tape.delivery import Decision, Ignored, RawDelivery, Runs
from duct_tape.errors import DuctTapeError, MalformedError, PermanentError, Problem, UnsupportedMediaError
from duct_tape.events import Event
from duct_tape.plugins.instance import Instance
from duct_tape.repositories import RepositoriesConf, repository_path
from duct_tape.rules import RulesConf, rule_path
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
    """What would go wrong with a version of each configured repository, of each kind, and with each rule's sample."""
    receiver = _receiver(instance)
    conf = instance.config
    if receiver is None or receiver.sample is None:
        return
    if isinstance(conf, RepositoriesConf):
        for name in conf.repositories:
            told = dict.fromkeys(_repository_failures(assembly, instance, receiver, name))
            path = f"plugins.{instance.name}.{repository_path(name)}"
            yield from (Problem(message=message, path=path) for message in told)
    elif isinstance(conf, RulesConf):
        for name in (name for name, rule in conf.rules.items() if rule.sample):
            path = f"plugins.{instance.name}.{rule_path(name)}"
            failures = _rule_failures(assembly, instance, receiver, name)
            yield from (Problem(message=message, path=path) for message in failures)


def _repository_failures(assembly: Assembly, instance: Instance, receiver: Receiver, name: str) -> Iterator[str]:
    conf: RepositoriesConf = instance.config
    assert receiver.sample is not None  # noqa: S101 - the caller has asked
    repository = conf.repositories[name]
    # A sample's name may miss a pattern, or a filter; no template may be left unrendered because of that.
    lenient = evolve(repository, tags=(), branches=(), when=None)
    alone = evolve(conf, repositories={name: lenient})
    for sample in samples(evolve(conf, repositories={name: repository})):
        try:
            parsed = receiver.parse(receiver.sample(sample))
        except (MalformedError, UnsupportedMediaError) as error:
            yield f"the plugin cannot read its own sample: {error},"
            continue
        for event in [parsed] if isinstance(parsed, Event) else parsed:
            kind = event.release.kind if event.release else "version"
            yield from _failures(assembly, instance, event, alone.decide(event), f"a {kind}")


def _rule_failures(assembly: Assembly, instance: Instance, receiver: Receiver, name: str) -> Iterator[str]:
    conf: RulesConf = instance.config
    try:
        parsed = receiver.parse(receiver.simulated("", conf.sample_of(name)))
    except DuctTapeError as error:
        yield f"its own sample cannot be used: {error},"
        return
    first = parsed if isinstance(parsed, Event) else parsed[0]
    # By this rule alone: another may hold for the same payload.
    for event in conf.read(evolve(first, action=name)):
        yield from _failures(assembly, instance, event, receiver.decide(event), "its own sample")


def _failures(assembly: Assembly, instance: Instance, event: Event, decision: Decision, what: str) -> Iterator[str]:
    if isinstance(decision, Ignored):
        yield f"{what} would not be deployed: {decision.reason},"
    for planned in decision.runs if isinstance(decision, Runs) else ():
        try:
            assembly.preview(instance.name, planned, event)
        except PermanentError as error:
            yield f"{what} would fail in trigger `{planned.trigger}`: {error},"


def triggers_of_rules(assembly: Assembly) -> set[str]:
    """The triggers that rules use. What they are given is known only where a rule has a sample."""
    rules = [(conf, rule) for conf in _confs(assembly) for rule in conf.rules.values()]
    return {name for conf, rule in rules for name in (conf.triggers if rule.triggers is None else rule.triggers)}


def _confs(assembly: Assembly) -> list[RulesConf]:
    return [instance.config for instance in assembly.registry if isinstance(instance.config, RulesConf)]


def receives(instance: Instance) -> bool:
    """Whether the instance is an integration."""
    return _receiver(instance) is not None


def _receiver(instance: Instance) -> Receiver | None:
    return next((route.receiver for route in instance.routes if isinstance(route, ReceiverRoute)), None)
