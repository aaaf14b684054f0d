"""The plugin's table, ``[plugins.notify]``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

from attrs import frozen

from duct_tape.api import ApplicationName, PermanentError, Problem, RunState, Secret, Template, option
from duct_tape_notify.history import BAD
from duct_tape_notify.message import SAMPLES, TITLE

# What can be told: the states in which a run ends, as the journal calls them, and `recovered`.
Outcome: TypeAlias = Literal[
    "failed", "timed out", "refused", "lost", "recovered", "deployed", "done", "superseded", "cancelled"
]
DEFAULT: tuple[Outcome, ...] = ("failed", "timed out", "refused", "lost", "recovered")
HOURS = 3600
MAX_LINES = 200


@frozen(kw_only=True)
class NotifyConf:
    """Messages about runs, to chats, phones and mailboxes."""

    urls: tuple[Secret, ...] = option(
        "Where messages go: the [URLs that apprise knows](https://appriseit.com/services/), each as "
        '`{ env = "NAME" }` or `{ file = "PATH" }`, since they hold tokens.'
    )
    on: tuple[Outcome, ...] = option(
        "Which outcomes of a run are told. `recovered` is the first good deploy after one that failed.",
        default=DEFAULT,
    )
    applications: tuple[ApplicationName, ...] = option("Only runs of these applications.", default=(), shown="all")
    title: Template = option("The message's first line.", default=Template(TITLE))
    message: Template | None = option(
        "The message. Without it: how the deploy ended, its run, the release's page and the last lines of output.",
        default=None,
    )
    lines: int = option("How many of the last lines of output a template gets.", default=20)
    repeat_after: int = option(
        "Seconds in which the same failure of the same version is not told again. 0 tells every one.",
        default=6 * HOURS,
    )

    @property
    def bad(self) -> frozenset[RunState]:
        """The outcomes after which a good deploy is a recovery: of those that are told, if any are."""
        return frozenset(state for state in BAD if state in self.on) or BAD

    def ducttape_problems(self) -> Iterator[Problem]:
        """What the types cannot say."""
        if not self.urls:
            yield Problem(message="`urls` is empty,", path="urls", hint="nobody would be told anything")
        if not self.on:
            yield Problem(message="`on` is empty,", path="on", hint="nobody would be told anything")
        if not 0 <= self.lines <= MAX_LINES:
            yield Problem(message=f"expected a number from 0 to {MAX_LINES},", path="lines")
        if self.repeat_after < 0:
            yield Problem(message="expected a number of seconds, 0 or more,", path="repeat_after")
        yield from _template_problems("title", self.title)
        if self.message:
            yield from _template_problems("message", self.message)


def _template_problems(key: str, template: Template) -> Iterator[Problem]:
    """Why the template cannot be rendered for one of the samples; one reason is enough."""
    for sample in SAMPLES:
        try:
            template.render(sample)
        except PermanentError as error:
            hint = f"there are: {', '.join(sorted(sample))}"
            yield Problem(message=f"the template cannot be used: {error},", path=key, hint=hint)
            return
