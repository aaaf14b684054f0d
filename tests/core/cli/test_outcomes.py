"""Commands that do something: with ``--json`` they print one object, whose ``detail`` is what people read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from attrs import evolve
from tests.server_support import run

from duct_tape.api import Event, Runs, RunState
from duct_tape.cli import group
from duct_tape.journal.sqlite import SQLiteJournal
from duct_tape_github import receive
from duct_tape_github.sample import release_payload

Cli = Callable[..., Any]
APPLICATION = "site.example.com"
# They print what is written into a file, a log, or files themselves.
WITHOUT = {"init", "listen", "new", "schema", "serve"}


def delivered(tag: str) -> Event:
    body = json.dumps(release_payload("acme/site", tag=tag, published_at="2026-01-01T00:00:00Z")).encode()
    return evolve(receive.parse(receive.simulated("release", body)), delivery=f"d-{tag}")


@pytest.fixture
def journal(configure: Callable[..., Path]) -> None:
    """``run-0`` that failed, ``run-1`` that was deployed, and two ignored deliveries."""
    configure()

    async def fill() -> None:
        store = SQLiteJournal(Path("var/journal.sqlite3"))
        for number, state in enumerate((RunState.FAILED, RunState.DEPLOYED)):
            given = run(number, APPLICATION)
            await store.accept(given.event, Runs(runs=(), key=f"k{number}", title="v1"), [given])
            await store.finish(given.id, state, f"is {state}")
        store.ignore("github", delivered("v1"), "it was not configured")
        await store.close()

    asyncio.run(fill())


def outcome(cli: Cli, *arguments: str, code: int = 0) -> dict[str, Any]:
    ended = cli(*arguments, "--json")
    assert (ended.code, ended.err) == (code, "")
    found: dict[str, Any] = json.loads(ended.out)
    return found


def commands(parent: click.Group, *words: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(parent)
    for name in parent.list_commands(context):
        command = parent.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, *words, name)
        else:
            yield " ".join([*words, name]), command


def test_every_command_that_tells_something_can_tell_it_to_a_script() -> None:
    without = {
        name for name, command in commands(group) if not any("--json" in option.opts for option in command.params)
    }
    assert without == WITHOUT


def test_a_pause_and_its_end(cli: Cli, journal: None) -> None:
    found = outcome(cli, "pause", APPLICATION, "--who", "ada", "--reason", "the database\x1b moves")
    since = found.pop("since")
    assert found == {
        "application": APPLICATION,
        "who": "ada",
        "reason": "the database\x1b moves",
        "paused": True,
        "detail": f"{APPLICATION} is paused; `duct-tape resume {APPLICATION}` ends that",
    }
    waiting = outcome(cli, "runs", "retry", "run-0")["run"]
    ended = outcome(cli, "resume", APPLICATION)
    assert (ended["paused"], ended["who"], ended["since"], ended["runs"]) == (False, "ada", since, [waiting])
    assert ended["detail"].startswith(f"{APPLICATION} goes on; ada had paused it at {since}: the database\x1b moves\n")


def test_a_retry(cli: Cli, journal: None) -> None:
    found = outcome(cli, "runs", "retry", "run-0")
    assert (found["repeats"], found["application"], found["version"]) == ("run-0", APPLICATION, "v1")
    assert found["detail"].startswith(f"run {found['run']} repeats run run-0. A running server")
    assert json.loads(cli("runs", "show", found["run"], "--json").out)["state"] == "accepted"


def test_a_discard(cli: Cli, journal: None) -> None:
    found = outcome(cli, "runs", "discard", "run-0")
    assert found == {"run": "run-0", "state": "discarded", "detail": "run run-0 is discarded"}


def test_a_redeploy(cli: Cli, journal: None) -> None:
    found = outcome(cli, "redeploy", APPLICATION)
    (deploy,) = found["runs"]
    assert found["application"] == APPLICATION
    assert (deploy["repeats"], deploy["trigger"], deploy["version"]) == ("run-1", "deploy", "v1")
    assert found["detail"].startswith(f"run {deploy['run']} deploys v1 of {APPLICATION} by trigger deploy. A running")


def test_a_replay(cli: Cli, journal: None) -> None:
    (first,) = outcome(cli, "deliveries", "replay", "d-v1")["replays"]
    (new,) = first["runs"]
    assert first == {"integration": "github", "delivery": "d-v1", "runs": [new]}
    known = outcome(cli, "deliveries", "replay", "d-v1", code=1)
    assert known["replays"] == [{"integration": "github", "delivery": "d-v1", "runs": []}]
    assert known["detail"] == f"run {new} did this already; --again does it once more"
    (again,) = outcome(cli, "deliveries", "replay", "d-v1", "--again")["replays"]
    assert again["delivery"].startswith("d-v1-")
    assert cli("deliveries", "show", again["delivery"]).code == 0
