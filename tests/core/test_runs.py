"""Runs: what their templates see, and which may be repeated."""

from __future__ import annotations

from duct_tape.events import Event, Release
from duct_tape.flags import Flag
from duct_tape.runs import REPEATABLE, UNSUCCESSFUL, WITH_LISTENER, Outcome, Refusal, Run, RunState


def test_what_the_templates_of_a_run_see() -> None:
    event = Event(name="release", delivery="d1", repository="acme/site", release=Release(id="1", tag="v1"))
    run = Run(id="r1", instance="github", application="site", trigger="deploy", event=event, vars={"a": 1})
    assert run.variables() == {"application": "site", "vars": {"a": 1}, **event.variables()}
    run.variables()["vars"]["a"] = 2
    assert run.vars == {"a": 1}


def test_a_run_begins_as_accepted_and_an_outcome_is_done() -> None:
    run = Run(id="r1", instance="github", application="a", trigger="t", event=Event(name="push", delivery="d"))
    assert (run.state, run.attempts, run.detail, run.vars) == (RunState.ACCEPTED, 0, "", {})
    assert Outcome() == Outcome(state=RunState.DONE, detail="", supersedes=())
    assert Refusal(reason="not now").reason == "not now"


def test_only_a_run_that_did_not_deploy_may_be_repeated_by_a_redelivery() -> None:
    assert set(UNSUCCESSFUL) == {RunState.FAILED, RunState.REFUSED, RunState.TIMED_OUT, RunState.LOST}
    assert set(REPEATABLE) == UNSUCCESSFUL | {RunState.CANCELLED, RunState.DISCARDED}
    assert not REPEATABLE & WITH_LISTENER
    assert " | ".join(RunState) == (
        "accepted | flagged | deploying | deployed | done | superseded | refused | failed | timed out | lost"
        " | cancelled | discarded"
    )


def test_a_run_tells_of_itself_in_a_flag() -> None:
    release = Release(id="1", tag="v1", prerelease=True, url="https://example.com/v1", commit="main")
    event = Event(name="release", delivery="d1", repository="acme/site", release=release)
    run = Run(id="r1", instance="github", application="site", trigger="deploy", event=event, created_at=1.5)
    assert run.flag() == Flag(
        run="r1", application="site", trigger="deploy", integration="github", delivery="d1", repository="acme/site",
        tag="v1", prerelease=True, url="https://example.com/v1", commit="main",
        requested_at="1970-01-01T00:00:01.500+00:00",
    )  # fmt: skip
