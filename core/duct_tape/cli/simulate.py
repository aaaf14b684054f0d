"""``duct-tape simulate``."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, BinaryIO

import click

from duct_tape.assembly import Assembly, assemble
from duct_tape.cli.options import config_option, json_option, print_json
from duct_tape.delivery import Decision, Ignored, PlannedRun, Pong
from duct_tape.errors import MalformedError, PermanentError, UnsupportedMediaError
from duct_tape.events import Event
from duct_tape.logs import escaped
from duct_tape.senders import receiver_of
from duct_tape.web.said import ORDER


@click.command("simulate", epilog="Example: duct-tape simulate github release payload.json")
@click.argument("instance")
@click.argument("event")
@click.argument("file", type=click.File("rb"))
@config_option
@json_option
def command(instance: str, event: str, file: BinaryIO, config: Path | None, as_json: bool) -> int:
    """Show what a delivery would do, without doing it.

    INSTANCE is a plugin under [plugins], EVENT the sender's name for the event, FILE the payload ("-" for
    standard input). The decision is taken by the server's own code; only the signature is not looked at, and
    the journal is not asked whether the release was seen before. Exit code 1 if the delivery would be refused
    or a run would fail.
    """
    logging.disable(logging.CRITICAL)
    result = simulate(assemble(config).require(), instance, event, file.read())
    if as_json:
        print_json(result)
    else:
        _print(result)
    failed = any("error" in run for run in result.get("runs", ()))
    return 1 if failed or result["status"] in ("malformed", "unsupported media type") else 0


def simulate(assembly: Assembly, name: str, event_name: str, body: bytes) -> dict[str, Any]:
    """The decision as data.

    :raises DuctTapeError: there is no such integration.
    """
    receiver = receiver_of(assembly, name)
    try:
        told = receiver.understood(receiver.simulated(event_name, body))
    except (MalformedError, UnsupportedMediaError) as error:
        status = "malformed" if isinstance(error, MalformedError) else "unsupported media type"
        return {"status": status, "reason": str(error)}
    except Exception as error:
        # A fault of the integration, which the server answers in the same words.
        return {"status": "malformed", "reason": f"the integration cannot read it ({type(error).__name__})"}
    found = [_described(assembly, name, event, decision) for event, decision in told]
    if len(found) == 1:
        return found[0]
    status = min((one["status"] for one in found), key=ORDER.index)
    return {"status": status, "events": found, "runs": [run for one in found for run in one.get("runs", ())]}


def _described(assembly: Assembly, name: str, event: Event, decision: Decision) -> dict[str, Any]:
    if isinstance(decision, Pong):
        return {"status": "pong", "configured": decision.configured, "message": decision.message}
    if isinstance(decision, Ignored):
        return {"status": "ignored", "reason": decision.reason}
    runs = [_run(assembly, name, event, planned) for planned in decision.runs]
    return {"status": "accepted", "key": decision.key, "version": decision.version, "runs": runs}


def _run(assembly: Assembly, name: str, event: Event, planned: PlannedRun) -> dict[str, Any]:
    result: dict[str, Any] = {"application": planned.application, "trigger": planned.trigger}
    try:
        return {**result, "preview": dict(assembly.preview(name, planned, event))}
    except PermanentError as error:
        return {**result, "error": str(error)}


def _print(result: dict[str, Any]) -> None:
    for one in result.get("events", [result]):
        _print_one(one)


def _print_one(result: dict[str, Any]) -> None:
    reason = result.get("reason") or result.get("message") or result.get("key") or "the runs have no key"
    click.echo(f"{result['status']}: {escaped(reason)}")
    for run in result.get("runs", ()):
        click.echo(f"run for {run['application']} by trigger {run['trigger']}")
        if "error" in run:
            click.echo(f"  would fail: {escaped(run['error'])}")
        for label, text in run.get("preview", {}).items():
            # Line by line: what a stranger wrote must not move the cursor.
            first, *others = text.rstrip().split("\n")
            click.echo("\n    ".join([f"  {label}: {escaped(first)}", *map(escaped, others)]))
