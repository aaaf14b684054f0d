"""One release, one set of runs, however many deliveries GitHub makes of it and in whichever order."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterable, Iterator
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve, frozen

from duct_tape.api import Runs
from duct_tape.assembly import new_run
from duct_tape.journal.sqlite import SQLiteJournal
from duct_tape_github import receive
from duct_tape_github.conf import GitHubConf
from duct_tape_github.decide import decide

if TYPE_CHECKING:
    from tests.plugins.github.conftest import GitHub

RC = {"tag": "v2", "published_at": "2026-01-01T00:00:00Z"}
HOTFIX = {"tag": "v1.9.1", "published_at": "2026-02-01T00:00:00Z"}
PROMOTED = {**RC, "action": "released", "updated_at": "2026-03-01T00:00:00Z"}


@frozen
class Ledger:
    """Decides and records as the server does."""

    path: Path

    def take(self, payloads: Iterable[dict[str, Any]], conf: GitHubConf) -> list[str]:
        """What became of each delivery: ``"v1 published"`` for those that made runs, or why not."""
        return asyncio.run(self._take(payloads, conf))

    async def _take(self, payloads: Iterable[dict[str, Any]], conf: GitHubConf) -> list[str]:
        journal = SQLiteJournal(self.path)
        answers = [await self._one(journal, payload, conf) for payload in payloads]
        await journal.close()
        return answers

    async def _one(self, journal: SQLiteJournal, payload: dict[str, Any], conf: GitHubConf) -> str:
        event = receive.parse(receive.simulated("release", json.dumps(payload).encode()))
        event = evolve(event, delivery=str(uuid.uuid4()))
        decision = decide(event, conf)
        if not isinstance(decision, Runs):
            return "ignored"
        accepted = await journal.accept(event, decision, [new_run("github", run, event) for run in decision.runs])
        if accepted.older:
            return accepted.older
        return f"{decision.title} {event.action}" if accepted.runs else "duplicate"


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "journal.sqlite3")


def made_runs(answers: Iterable[str]) -> Iterator[str]:
    return (answer for answer in answers if answer not in ("ignored", "duplicate"))


# Two of GitHub's deliveries may also arrive twice.
@pytest.mark.parametrize(
    "actions", sorted(set(permutations(("created", "published", "released", "published")))), ids="-".join
)
def test_a_full_release_makes_runs_once(github: GitHub, ledger: Ledger, actions: tuple[str, ...]) -> None:
    answers = ledger.take([github.release(action=action) for action in actions], github.conf())
    first = next(action for action in actions if action != "created")
    assert list(made_runs(answers)) == [f"v1.0.0 {first}"]


def test_a_draft_that_is_published_makes_runs_once(github: GitHub, ledger: Ledger) -> None:
    story = [
        github.release(action="created", draft=True, tag="", release_id=1),
        github.release(action="edited", draft=True, release_id=1),
        github.release(action="released", release_id=1),
        github.release(action="published", release_id=1),
    ]
    assert ledger.take(story, github.conf()) == ["ignored", "ignored", "v1.0.0 released", "duplicate"]


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
@pytest.mark.parametrize(("allowed", "made"), [(False, "v2 released"), (True, "v2 published")])
def test_a_promoted_prerelease_makes_runs_once(
    github: GitHub, ledger: Ledger, order: tuple[int, ...], allowed: bool, made: str
) -> None:
    published = [
        github.release(**RC, action=action, prerelease=True) for action in ("created", "prereleased", "published")
    ]
    promoted = [github.release(**PROMOTED), github.release(**{**PROMOTED, "action": "edited"})]
    story = [published[index] for index in order] + promoted
    assert list(made_runs(ledger.take(story, github.conf(prereleases=allowed)))) == [made]


def test_a_promotion_counts_although_another_version_came_in_between(github: GitHub, ledger: Ledger) -> None:
    story = [
        github.release(**RC, action="published", prerelease=True),
        github.release(**HOTFIX, action="published"),
        github.release(**PROMOTED),
        # And from then on the hotfix is the older one.
        github.release(**{**HOTFIX, "tag": "v1.9.2", "published_at": "2026-02-02T00:00:00Z"}),
    ]
    older = "v1.9.2 is older than v2, which was accepted before for site.example.com"
    assert ledger.take(story, github.conf()) == ["ignored", "v1.9.1 published", "v2 released", older]


def test_an_older_release_that_comes_late_is_ignored_unless_allowed(github: GitHub, ledger: Ledger) -> None:
    newer = github.release(**HOTFIX)
    older = [github.release(**RC, action=action) for action in ("published", "released")]
    reason = "v2 is older than v1.9.1, which was accepted before for site.example.com"
    assert ledger.take([newer, *older], github.conf()) == ["v1.9.1 published", reason, reason]
    assert ledger.take(older, github.conf(allow_older=True)) == ["v2 published", "duplicate"]


def test_each_trigger_gets_its_own_run(github: GitHub, ledger: Ledger) -> None:
    conf = github.conf(triggers=("deploy", "announce"))
    story = [github.release(action=action) for action in ("released", "published")]
    assert ledger.take(story, conf) == ["v1.0.0 released", "duplicate"]


def test_a_trigger_that_was_added_later_runs_alone(github: GitHub, ledger: Ledger) -> None:
    assert ledger.take([github.release()], github.conf()) == ["v1.0.0 published"]
    both = github.conf(triggers=("deploy", "announce"))
    assert ledger.take([github.release(action="released")] * 2, both) == ["v1.0.0 released", "duplicate"]


def test_different_releases_are_told_apart(github: GitHub, ledger: Ledger) -> None:
    story = [
        github.release(tag="v1", release_id=1),
        github.release(tag="v1", release_id=2),  # deleted and made anew
        github.release(tag="v2", release_id=2),  # renamed while it was a draft
    ]
    assert ledger.take(story, github.conf()) == ["v1 published", "v1 published", "v2 published"]
