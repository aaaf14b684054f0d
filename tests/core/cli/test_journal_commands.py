"""``duct-tape runs``, ``deliveries`` and ``redeploy``: the journal for operators, beside a running server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from tests.server_support import run

from duct_tape.api import Event, Release, Run, RunState
from duct_tape.delivery import Runs
from duct_tape.flags import Flag
from duct_tape.journal.sqlite import SQLiteJournal
from duct_tape.results import Result

Cli = Callable[..., Any]
Configure = Callable[..., Path]


def release(number: int, tag: str, application: str = "site", trigger: str = "deploy") -> Run:
    given = run(number, application, trigger=trigger, created_at=1_770_000_000.0 + number)
    return evolve(given, event=evolve(given.event, release=Release(id=tag, tag=tag)))


@pytest.fixture
def journal(configure: Configure) -> Callable[[], Sequence[Run]]:
    """Two releases of ``site``: v1 was deployed, v2 failed with output; and an ignored delivery."""
    configure()
    path = Path("var/journal.sqlite3")

    async def fill() -> None:
        store = SQLiteJournal(path)
        for given in (release(1, "v1"), release(2, "v2")):
            version = given.event.release
            assert version
            decision = Runs(runs=(), key=f"key-{given.id}", version=f"2026-01-0{given.id[-1]}", title=version.tag)
            await store.accept(given.event, decision, [given])
            await store.finish(given.id, RunState.FLAGGED, "")
        await store.report("run-1", RunState.DEPLOYED, "bin/deploy succeeded", None)
        result = Result.of(Flag(run="run-2", application="site"), "failed", exit_code=3, output="one\nno such\x1bhost")
        await store.report("run-2", RunState.FAILED, "bin/deploy failed: no such\x1bhost", result)
        store.ignore("github", Event(name="push", delivery="d-9", repository="acme/site"), "`push` is not used")
        await store.close()

    asyncio.run(fill())

    def runs() -> Sequence[Run]:
        async def read() -> Sequence[Run]:
            store = SQLiteJournal(path)
            try:
                return await store.recent(100)
            finally:
                await store.close()

        return asyncio.run(read())

    return runs


def test_runs_are_listed_newest_first(cli: Cli, journal: object) -> None:
    ended = cli("runs", "list")
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0].split() == ["RUN", "STATE", "APPLICATION", "VERSION", "CREATED", "AT", "DETAIL"]
    assert [line.split()[:4] for line in lines[1:]] == [
        ["run-2", "failed", "site", "v2"],
        ["run-1", "deployed", "site", "v1"],
    ]
    assert lines[1].endswith("2026-02-02T02:40:02Z  bin/deploy failed: no such\\x1bhost")


@pytest.mark.parametrize("more", [[], ["--dead"], ["--state", "failed"]])
@pytest.mark.parametrize(
    ("name", "guess"),
    [("sitte", "did you mean site?"), ("site.example.com", "known are: site"), ("\x1b", "known are: site")],
)
def test_a_name_that_nobody_knows_is_a_sentence_with_those_that_are_near(
    cli: Cli, journal: object, name: str, guess: str, more: list[str]
) -> None:
    ended = cli("runs", "list", "--application", name, *more)
    assert (ended.code, ended.out) == (0, "")
    assert ended.err == f"nothing of {name!r} was accepted here so far; {guess}\n"


def test_a_known_application_without_such_runs_is_an_empty_table(cli: Cli, journal: object) -> None:
    ended = cli("runs", "list", "--application", "site", "--state", "refused")
    assert (ended.code, ended.err, len(ended.out.splitlines())) == (0, "", 1)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ["run-2", "run-1"]),
        (["--limit", "1"], ["run-2"]),
        (["--state", "deployed"], ["run-1"]),
        (["--state", "timed out"], []),
        (["--application", "site", "--state", "failed"], ["run-2"]),
        (["--application", "x' OR 'y'='y"], []),
        (["--application", "site", "--dead"], ["run-2"]),
    ],
)
def test_runs_can_be_chosen(cli: Cli, journal: object, options: list[str], expected: list[str]) -> None:
    ended = cli("runs", "list", "--json", *options)
    assert [row["run"] for row in json.loads(ended.out)["runs"]] == expected


@pytest.mark.parametrize("group", ["runs", "deliveries"])
def test_without_a_command_it_lists(cli: Cli, journal: object, group: str) -> None:
    assert cli(group) == cli(group, "list")
    assert cli(group).code == 0


def test_a_run_is_shown_with_its_output(cli: Cli, journal: object) -> None:
    ended = cli("runs", "show", "run-2")
    assert ended.code == 0
    assert "exit_code:    3\n" in ended.out
    assert ended.out.endswith("  | one\n  | no such\\x1bhost\n")
    whole = json.loads(cli("runs", "show", "run-2", "--json").out)
    assert (whole["state"], whole["output"], whole["version"]) == ("failed", "one\nno such\x1bhost", "v2")
    assert json.loads(cli("runs", "show", "run-1", "--json").out)["exit_code"] is None


def test_a_failed_run_is_repeated_as_a_new_one(cli: Cli, journal: Callable[[], Sequence[Run]]) -> None:
    ended = cli("runs", "retry", "run-2")
    assert ended.code == 0
    new, *old = journal()
    assert ended.out.startswith(f"run {new.id} repeats run run-2. ")
    assert [(item.id, item.state) for item in old] == [("run-2", "failed"), ("run-1", "deployed")]
    assert (new.state, new.application, new.trigger, new.detail) == ("accepted", "site", "deploy", "repeats run run-2")
    assert new.event == old[0].event


def test_a_run_that_did_not_fail_is_not_retried(cli: Cli, journal: object) -> None:
    ended = cli("runs", "retry", "run-1")
    assert (ended.code, ended.err) == (
        1,
        "error: run run-1 is deployed; `duct-tape redeploy site` deploys again\n",
    )


def test_a_retry_does_not_take_the_place_of_a_newer_version(
    cli: Cli, configure: Configure, journal: Callable[[], Sequence[Run]]
) -> None:
    async def fill() -> None:
        store = SQLiteJournal(Path("var/journal.sqlite3"))
        given = release(3, "v3")
        await store.accept(given.event, Runs(runs=(), key="key-3", version="2026-01-03", title="v3"), [given])
        await store.close()

    asyncio.run(fill())
    ended = cli("runs", "retry", "run-2")
    sentence = (
        "run run-2 of v2 is older than run run-3, which is accepted; `duct-tape redeploy site --tag v2` goes back"
    )
    assert (ended.code, ended.err) == (1, f"error: {sentence} to it\n")
    assert [run.id for run in journal()] == ["run-3", "run-2", "run-1"]


@pytest.mark.parametrize("verb", ["show", "retry"])
def test_an_unknown_run_is_a_sentence(cli: Cli, journal: object, verb: str) -> None:
    ended = cli("runs", verb, "nope")
    assert (ended.code, ended.err) == (1, "error: there is no run 'nope'; `duct-tape runs list` shows them\n")


@pytest.mark.parametrize(("options", "tag"), [([], "v1"), (["--tag", "v1"], "v1"), (["--tag", "v2"], "v2")])
def test_redeploy_goes_to_the_last_good_version_or_to_the_one_named(
    cli: Cli, journal: Callable[[], Sequence[Run]], options: list[str], tag: str
) -> None:
    ended = cli("redeploy", "site", *options)
    assert ended.code == 0
    new = journal()[0]
    assert ended.out.startswith(f"run {new.id} deploys {tag} of site by trigger deploy. ")
    assert new.event.release == Release(id=tag, tag=tag)
    assert new.state == "accepted"


def test_redeploy_repeats_every_trigger_once(cli: Cli, configure: Configure) -> None:
    configure()

    async def fill() -> None:
        store = SQLiteJournal(Path("var/journal.sqlite3"))
        both = [release(1, "v1"), release(2, "v1", trigger="announce")]
        await store.accept(both[0].event, Runs(runs=(), key="k", title="v1"), both)
        for given in both:
            await store.finish(given.id, RunState.DONE, "")
        await store.close()

    asyncio.run(fill())
    for _ in range(2):
        assert [line.split()[8] for line in cli("redeploy", "site").out.splitlines()] == ["deploy.", "announce."]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nobody"], "nothing of nobody was deployed yet; `duct-tape runs list` shows all runs"),
        (["site", "--tag", "v9"], "site has no run of v9; the latest are: v2, v1"),
        (["nobody", "--tag", "v9"], "nobody has no run of v9; the latest are: none"),
    ],
)
def test_what_cannot_be_redeployed_is_a_sentence(
    cli: Cli, journal: object, arguments: list[str], sentence: str
) -> None:
    ended = cli("redeploy", *arguments)
    assert (ended.code, ended.out, ended.err) == (1, "", f"error: {sentence}\n")


def test_deliveries_tell_why_they_were_ignored(cli: Cli, journal: object) -> None:
    ended = cli("deliveries")
    assert ended.code == 0
    _, first, second, third = ended.out.splitlines()
    assert first.split()[1:] == ["d-9", "ignored", "github", "push", "acme/site", "`push`", "is", "not", "used"]
    assert [line.split()[1:3] for line in (second, third)] == [["d-2", "accepted"], ["d-1", "accepted"]]
    (newest,) = json.loads(cli("deliveries", "list", "--json", "--limit", "1").out)["deliveries"]
    assert (newest["delivery"], newest["state"]) == ("d-9", "ignored")


@pytest.mark.parametrize("arguments", [["runs", "list"], ["deliveries"], ["redeploy", "site"]])
def test_without_a_journal_it_is_a_sentence(cli: Cli, configure: Configure, arguments: list[str]) -> None:
    configure()
    ended = cli(*arguments)
    sentence = "error: there is no journal var/journal.sqlite3 yet: `duct-tape serve` makes it\n"
    assert (ended.code, ended.err) == (1, sentence)
    assert not Path("var").exists()


@pytest.mark.parametrize("arguments", [["runs", "list"], ["deliveries"], ["doctor"]])
def test_a_journal_that_was_taken_away_is_another_sentence(cli: Cli, journal: object, arguments: list[str]) -> None:
    path = Path("var/journal.sqlite3")
    path.unlink()
    ended = cli(*arguments)
    sentence = f"the journal {path} is gone, though a server has used it: put it back, or a backup in its place,"
    assert (ended.code, sentence in ended.out + ended.err) == (1, True)
    assert not path.exists()
