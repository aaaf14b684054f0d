"""``duct-tape pause``, ``resume``, ``runs discard`` and ``deliveries show|replay``: what operators change by hand."""

from __future__ import annotations

import asyncio
import getpass
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import pytest
from attrs import evolve
from tests.server_support import Checked, run

from duct_tape.api import Event, MalformedError, RawDelivery, Receiver, ReceiverRoute, Run, Runs, RunState
from duct_tape.journal import accepting
from duct_tape.journal.sqlite import SQLiteJournal
from duct_tape_github import receive
from duct_tape_github.sample import release_payload

T = TypeVar("T")
Cli = Callable[..., Any]
Configure = Callable[..., Path]
APPLICATION = "site.example.com"


def asked(question: Callable[[SQLiteJournal], Awaitable[T]]) -> T:
    """The answer of the journal in the working directory."""

    async def main() -> T:
        journal = SQLiteJournal(Path("var/journal.sqlite3"))
        try:
            return await question(journal)
        finally:
            await journal.close()

    return asyncio.run(main())


def runs() -> list[Run]:
    return asked(lambda journal: journal.recent(100))


def delivered(tag: str = "v1", repository: str = "acme/site", at: str = "2026-01-01T00:00:00Z") -> Event:
    body = json.dumps(release_payload(repository, tag=tag, published_at=at)).encode()
    return evolve(receive.parse(receive.simulated("release", body)), delivery=f"d-{tag}")


@pytest.fixture
def journal(configure: Configure) -> None:
    """A run that failed, one in each state that a pause does not stop, and an ignored delivery."""
    configure()

    async def fill(store: SQLiteJournal) -> None:
        states = (RunState.FAILED, RunState.FLAGGED, RunState.DEPLOYING)
        for number, state in enumerate(states):
            given = run(number, APPLICATION)
            await store.accept(given.event, Runs(runs=(), key=f"k{number}"), [given])
            await store.finish(given.id, state, f"is {state}")
        store.ignore("github", delivered(), "acme/site is not configured")

    asked(fill)


def test_an_application_is_paused_shown_and_resumed(cli: Cli, journal: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli("pause").out == "nothing is paused\n"
    monkeypatch.setenv("SUDO_USER", "ada")
    ended = cli("pause", APPLICATION, "--reason", "the database\x1b moves")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        "run run-1 is flagged already; `duct-tape cancel run-1` stops it",
        "run run-2 is deploying already; `duct-tape cancel run-2` stops it",
        f"{APPLICATION} is paused; `duct-tape resume {APPLICATION}` ends that",
    ]
    heading, line = cli("pause").out.splitlines()
    assert heading.split() == ["APPLICATION", "WHO", "SINCE", "REASON"]
    assert re.fullmatch(rf"{APPLICATION}  ada  20\d\d-\d\d-\d\dT[\d:]+Z  the database\\x1b moves", line)
    (paused,) = json.loads(cli("pause", "--json").out)["pauses"]
    assert (paused["application"], paused["reason"]) == (APPLICATION, "the database\x1b moves")
    assert cli("runs", "retry", "run-0").code == 0
    assert "is paused by ada: the database\\x1b moves" in cli("runs").out
    listed = json.loads(cli("runs", "list", "--json", "--limit", "1").out)["runs"][0]
    assert listed["detail"] == f"{APPLICATION} is paused by ada: the database\x1b moves"
    shown = cli("runs", "show", listed["run"]).out
    assert f"detail:       {APPLICATION} is paused by ada: the database\\x1b moves\n" in shown
    ended = cli("resume", APPLICATION)
    assert ended.code == 0
    first, second = ended.out.splitlines()
    assert re.fullmatch(rf"{APPLICATION} goes on; ada had paused it at 20[-\dT:Z]+: the database\\x1b moves", first)
    assert second.startswith(f"run {listed['run']} of v1 is next. A running server")
    ended = cli("resume", APPLICATION)
    assert (ended.code, ended.err) == (1, f"error: '{APPLICATION}' is not paused; paused is: nothing\n")


def test_who_pauses_has_a_name(cli: Cli, journal: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> NoReturn:
        raise KeyError

    monkeypatch.delenv("SUDO_USER", raising=False)
    for name, change in (("grace", lambda: "grace"), (r"user \d+", nameless)):
        monkeypatch.setattr(getpass, "getuser", change)
        assert cli("pause", APPLICATION).code == 0
        (paused,) = json.loads(cli("pause", "--json").out)["pauses"]
        assert re.fullmatch(name, paused["who"])
    assert cli("pause", APPLICATION, "--who", "eve").code == 0
    assert json.loads(cli("pause", "--json").out)["pauses"][0]["who"] == "eve"


def test_what_was_never_accepted_is_paused_with_a_word_about_it(cli: Cli, journal: None) -> None:
    ended = cli("pause", "sitte")
    assert (ended.code, ended.err) == (0, "")
    first, second = ended.out.splitlines()
    assert first == f"nothing of 'sitte' was accepted here so far; known are: {APPLICATION}"
    assert second.startswith("sitte is paused;")


def test_a_pause_that_takes_the_place_of_another_says_so(cli: Cli, journal: None) -> None:
    cli("pause", APPLICATION, "--who", "anna", "--reason", "the database moves")
    first = cli("pause", APPLICATION, "--who", "bert").out.splitlines()[0]
    assert re.fullmatch(r"this takes the place of the pause by anna, since 20[-\dT:]+Z: the database moves", first)


def test_who_asks_for_a_run_of_a_paused_application_learns_that_it_waits(cli: Cli, journal: None) -> None:
    cli("pause", APPLICATION, "--who", "anna")
    waits = f"It waits: {APPLICATION} is paused by anna, until `duct-tape resume {APPLICATION}`."
    for arguments in (["runs", "retry", "run-0"], ["deliveries", "replay", "d-v1"]):
        assert waits in cli(*arguments).out


def test_a_failed_run_is_discarded(cli: Cli, journal: None) -> None:
    assert [row["run"] for row in json.loads(cli("runs", "list", "--dead", "--json").out)["runs"]] == ["run-0"]
    ended = cli("runs", "discard", "run-0", "--reason", "fixed by hand")
    assert (ended.code, ended.out) == (0, "run run-0 is discarded\n")
    assert json.loads(cli("runs", "list", "--dead", "--json").out)["runs"] == []
    found = json.loads(cli("runs", "show", "run-0", "--json").out)
    assert found["state"] == "discarded"
    assert found["detail"].endswith(": fixed by hand")
    for name, sentence in (("run-0", "run run-0 is discarded"), ("run-1", "run run-1 is flagged")):
        ended = cli("runs", "discard", name)
        assert (ended.code, ended.err) == (1, f"error: {sentence}; only one that failed can be discarded\n")
    assert cli("runs", "list", "--dead", "--state", "failed").code == 2


def test_a_delivery_is_shown(cli: Cli, journal: None) -> None:
    ended = cli("deliveries", "show", "d-v1")
    assert ended.code == 0
    assert "reason:       acme/site is not configured\n" in ended.out
    assert ended.out.endswith("payload:      kept; --payload prints it\n")
    assert cli("deliveries", "show", "d-0").out.endswith(f"run:          run-0 failed for {APPLICATION}: is failed\n")
    (whole,) = json.loads(cli("deliveries", "show", "d-0", "--json").out)["deliveries"]
    assert (whole["state"], whole["kept"], whole["runs"][0]["run"]) == ("accepted", True, "run-0")
    assert json.loads(cli("deliveries", "show", "d-v1", "--payload").out) == delivered().payload


@pytest.mark.parametrize("verb", ["show", "replay"])
def test_an_unknown_delivery_is_a_sentence(cli: Cli, journal: None, verb: str) -> None:
    ended = cli("deliveries", verb, "nope")
    assert (ended.code, ended.err) == (
        1, "error: there is no delivery 'nope'; `duct-tape deliveries list` shows them\n",
    )  # fmt: skip


@pytest.mark.parametrize("arguments", [["replay"], ["show", "--payload"]])
def test_what_is_kept_no_longer_is_a_sentence(
    cli: Cli, configure: Configure, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    configure()
    monkeypatch.setattr(accepting, "MAX_CONTENT", 10)

    async def fill(store: SQLiteJournal) -> None:
        store.ignore("github", delivered(), "too old")

    asked(fill)
    ended = cli("deliveries", *arguments, "d-v1")
    sentence = "error: delivery d-v1: its content is kept no longer; press Redeliver at the sender\n"
    assert (ended.code, ended.err) == (1, sentence)
    assert "kept no longer" in cli("deliveries", "show", "d-v1").out


def test_an_ignored_delivery_is_decided_anew(cli: Cli, journal: None) -> None:
    ended = cli("deliveries", "replay", "d-v1")
    new = runs()[0]
    assert ended.code == 0
    assert ended.out.startswith(f"run {new.id} is accepted for {APPLICATION}, by trigger deploy. A running server")
    assert (new.state, new.event.release and new.event.release.tag) == ("accepted", "v1")
    assert asked(lambda store: store.deliveries(1))[0].state == "accepted"
    ended = cli("deliveries", "replay", "d-v1")
    assert (ended.code, ended.out) == (1, f"run {new.id} did this already; --again does it once more\n")
    ended = cli("deliveries", "replay", "d-v1", "--again")
    assert ended.code == 0
    assert ended.out.endswith(f"in the journal it is a delivery of its own: {runs()[0].event.delivery}\n")
    assert re.fullmatch(r"d-v1-[0-9a-f]{20}", runs()[0].event.delivery)
    assert [item.state for item in runs()[:2]] == ["accepted", "superseded"]
    # Decided once, decided for ever: an older release stays behind.
    asked(lambda store: _ignored(store, delivered("v0", at="2025-01-01T00:00:00Z")))
    ended = cli("deliveries", "replay", "d-v0")
    assert (ended.code, ended.out.startswith("github: ignored: v0 is older than v1")) == (1, True)


async def _ignored(store: SQLiteJournal, event: Event) -> None:
    store.ignore("github", event, "by mistake")


def test_what_is_ignored_still_is_told_with_its_reason(cli: Cli, configure: Configure, journal: None) -> None:
    asked(lambda store: _ignored(store, delivered("v2", "acme/other")))
    ended = cli("deliveries", "replay", "d-v2")
    assert ended.code == 1
    assert ended.out.startswith("github: ignored: ")


def test_an_integration_that_is_gone_off_or_cannot_decide_is_a_sentence(
    cli: Cli, configure: Configure, journal: None, offer: Callable[..., None]
) -> None:
    errors: list[Exception] = [ZeroDivisionError(), MalformedError("`x` is missing")]

    def decide(event: Event) -> NoReturn:
        raise errors.pop()

    def parse(delivery: RawDelivery) -> NoReturn:
        raise AssertionError

    def simulated(name: str, body: bytes) -> NoReturn:
        raise AssertionError

    receiver = Receiver(verifier=Checked(parse), parse=parse, decide=decide, simulated=simulated)
    offer(routes=lambda ctx: [ReceiverRoute(receiver)])
    configure("[plugins.x]\n")
    ended = cli("deliveries", "replay", "d-v1")
    assert (ended.code, ended.err) == (1, "error: there is no `github` under [plugins]; there are: x\n")
    configure('[plugins.github]\nuse = "x"\n')
    ended = cli("deliveries", "replay", "d-v1")
    assert (ended.code, ended.err) == (1, "error: github cannot decide about it: `x` is missing\n")
    ended = cli("deliveries", "replay", "d-v1")
    assert (ended.code, ended.err) == (1, "error: github cannot decide about it (ZeroDivisionError)\n")


def test_a_trigger_whose_plugin_is_off_is_a_sentence(
    cli: Cli, configure: Configure, journal: None, offer: Callable[..., None]
) -> None:
    def broken(ctx: object) -> NoReturn:
        raise RuntimeError

    offer(actions=broken)
    text = configure().read_text("utf-8").replace('"touch-file"', '"whatever"').replace("touch-file]", "x]")
    configure(text)
    ended = cli("deliveries", "replay", "d-v1")
    assert (ended.code, ended.err) == (
        1, "error: the plugin behind the trigger `deploy` is off: `duct-tape plugins`\n",
    )  # fmt: skip
