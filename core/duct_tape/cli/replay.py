"""``duct-tape deliveries replay``."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import click
from attrs import evolve

from duct_tape.assembly import Assembly, assemble, new_run, new_run_id
from duct_tape.cli.journal import when, with_journal
from duct_tape.cli.options import config_option, json_option, print_outcome
from duct_tape.delivery import Decision, Runs
from duct_tape.errors import DuctTapeError, MalformedError
from duct_tape.events import Event
from duct_tape.journal import Acceptance, Stored
from duct_tape.journal.sqlite import SQLiteJournal
from duct_tape.senders import receiver_of
from duct_tape.web.receive import numbered


@click.command("replay", epilog="Example: duct-tape deliveries replay 72d3162e-cc78-11e3-81ab-4c9367dc0958")
@click.argument("delivery")
@click.option("--again", is_flag=True, help="Also when the event was carried out already: as a delivery of its own.")
@config_option
@json_option
def replay_command(delivery: str, again: bool, config: Path | None, as_json: bool) -> int:
    """Decide about a delivery anew, with today's configuration, and carry out what comes of it.

    For a delivery that was ignored, and should not have been: correct the configuration, restart the server, and
    replay. Exit code 1 if nothing comes of it.
    """
    logging.disable(logging.CRITICAL)
    assembly = assemble(config).require()
    # All of them are decided before anything of the first one is accepted.
    found = [
        (item.recorded.instance, event, decision)
        for item in stored(config, delivery)
        for event, decision in _decided(assembly, item)
    ]

    async def question(journal: SQLiteJournal) -> list[tuple[dict[str, Any], list[str]]]:
        return [await _replayed(journal, *one, again) for one in found]

    told = with_journal(config, question)
    facts = {"delivery": delivery, "replays": [replay for replay, _ in told]}
    print_outcome(as_json, facts, *(sentence for _, sentences in told for sentence in sentences))
    return 0 if all(replay["runs"] for replay, _ in told) else 1


def stored(config: Path | None, delivery: str) -> list[Stored]:
    """What the journal has under that id.

    :raises DuctTapeError: nothing.
    """
    if found := with_journal(config, lambda journal: journal.delivery(delivery)):
        return found
    raise DuctTapeError(f"there is no delivery {delivery[:100]!r}; `duct-tape deliveries list` shows them")


def with_event(item: Stored) -> Event:
    """The event of a delivery.

    :raises DuctTapeError: it is kept no longer.
    """
    if item.event is None:
        sentence = "its content is kept no longer; press Redeliver at the sender"
        raise DuctTapeError(f"delivery {item.recorded.delivery}: {sentence}")
    return item.event


async def _replayed(
    journal: SQLiteJournal, instance: str, event: Event, decision: Decision, again: bool
) -> tuple[dict[str, Any], list[str]]:
    """What became of it, as data and as sentences."""
    facts: dict[str, Any] = {"integration": instance, "delivery": event.delivery, "runs": []}
    if not isinstance(decision, Runs) or not decision.runs:
        reason = getattr(decision, "reason", "") or getattr(decision, "message", "") or "no run was asked for"
        return facts, [f"{instance}: ignored: {reason}"]
    if again:
        # Identities of its own: it must be no duplicate of what was carried out.
        number = new_run_id()
        event, decision = evolve(event, delivery=f"{event.delivery}-{number}"), evolve(decision, key=f"replay:{number}")
    runs = [new_run(instance, planned, event) for planned in decision.runs]
    accepted = await journal.accept(event, decision, runs)
    sentences = [sentence async for sentence in _told(journal, instance, accepted)]
    if again and accepted.runs:
        sentences.append(f"in the journal it is a delivery of its own: {event.delivery}")
    ids = [run.id for run in accepted.runs]
    return {**facts, "delivery": event.delivery, "runs": ids}, sentences


def _decided(assembly: Assembly, item: Stored) -> list[tuple[Event, Decision]]:
    instance, event = item.recorded.instance, with_event(item)
    receiver = receiver_of(assembly, instance)
    try:
        told = [(read, receiver.decide(read)) for read in numbered(receiver.reread(event))]
    except MalformedError as error:
        raise DuctTapeError(f"{instance} cannot decide about it: {error}") from None
    except Exception as error:
        # A fault of the integration.
        raise DuctTapeError(f"{instance} cannot decide about it ({type(error).__name__})") from error
    for planned in (planned for _, decision in told if isinstance(decision, Runs) for planned in decision.runs):
        if planned.trigger not in assembly.triggers:
            raise DuctTapeError(f"the plugin behind the trigger `{planned.trigger}` is off: `duct-tape plugins`")
    return told


async def _told(journal: SQLiteJournal, instance: str, accepted: Acceptance) -> AsyncIterator[str]:
    for run in accepted.runs:
        then = await when(journal, run.application)
        yield f"run {run.id} is accepted for {run.application}, by trigger {run.trigger}. {then}"
    if accepted.older:
        yield f"{instance}: ignored: {accepted.older}"
    if accepted.duplicates and not accepted.runs:
        yield f"run {', '.join(accepted.duplicates)} did this already; --again does it once more"
