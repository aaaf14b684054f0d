"""Triggers: an action together with its settings."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from duct_tape.errors import PermanentError
from duct_tape.events import Event
from duct_tape.runs import Outcome, Run
from duct_tape.triggers import Action, Trigger

RUN = Run(id="r1", instance="i", application="a", trigger="t", event=Event(name="push", delivery="d"))


async def perform(run: Run, settings: str) -> Outcome:
    return Outcome(detail=f"{run.id} {settings}")


def preview(run: Run, settings: str) -> Mapping[str, str]:
    if settings == "bad":
        raise PermanentError("it cannot be")
    return {run.application: settings}


def trigger(settings: str) -> Trigger:
    action = Action(settings=str, perform=perform, preview=preview)
    return Trigger(name="t", action_name="act", plugin="p", action=action, settings=settings)


def test_an_action_is_given_the_run_and_the_triggers_settings() -> None:
    assert asyncio.run(trigger("good").perform(RUN)) == Outcome(detail="r1 good")
    assert trigger("good").preview(RUN) == {"a": "good"}


def test_a_preview_raises_what_the_action_would() -> None:
    with pytest.raises(PermanentError, match=r"^it cannot be$"):
        trigger("bad").preview(RUN)


def test_each_trigger_is_only_itself() -> None:
    assert trigger("good") != trigger("good")
