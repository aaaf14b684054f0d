"""Actions, and the triggers that name an action together with its settings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, TypeVar

from attrs import frozen

from duct_tape.runs import Outcome, Run

S = TypeVar("S")


@frozen(kw_only=True, eq=False)
class Action(Generic[S]):
    """What a trigger can carry out; contributed by a plugin through ``ducttape_actions``.

    :param settings: attrs class of the trigger's keys.
    :param perform: carries the action out. It may be called again for the same run after a crash, so a
        second call must do no harm. It raises ``PermanentError`` where another attempt cannot succeed; any
        other exception means that the run is tried again.
    :param preview: what ``perform`` would do, as lines of name and text, without doing it. It raises
        what ``perform`` would raise for these settings and this run.
    """

    settings: type[S]
    perform: Callable[[Run, S], Awaitable[Outcome]]
    preview: Callable[[Run, S], Mapping[str, str]]


@frozen(kw_only=True, eq=False)
class Trigger:
    """A named action with its settings.

    :param plugin: the instance that contributed the action.
    """

    name: str
    action_name: str
    plugin: str
    action: Action[Any]
    settings: Any

    def preview(self, run: Run) -> Mapping[str, str]:
        """What the run would do.

        :raises PermanentError: it could not do it, whatever the circumstances.
        """
        return self.action.preview(run, self.settings)

    async def perform(self, run: Run) -> Outcome:
        """Carry the run out."""
        return await self.action.perform(run, self.settings)
