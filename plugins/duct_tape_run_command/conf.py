"""The keys of a trigger, and what cannot be right about them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Literal, TypeAlias

from attrs import frozen

from duct_tape.api import Problem, Template, option
from duct_tape_run_command.program import program_problem

Stdin: TypeAlias = Literal["run", "nothing"]

MAX_ITEMS = 64
MAX_SECONDS = 24 * 3600
MAX_KILL_AFTER = 300
MAX_ATTEMPTS = 50
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
OURS = "DUCT_TAPE_"
# They run what one of their arguments says.
_INTERPRETER = re.compile(r"(?:|ba|da|a|z|k|mk|fi|c|tc)sh|busybox|su|python[0-9.]*|perl|ruby|node|php")
_PROGRAM_FOLLOWS = re.compile(r"-[A-Za-z]*[ce]|--command|--eval")


@frozen(kw_only=True)
class RunCommandSettings:
    """The keys of a trigger with ``action = "run-command"``."""

    command: tuple[Template, ...] = option(
        "The program and its arguments. The program is no template: an absolute path, or a name that is looked up "
        "once, at the start. Each argument is a template of its own, and what it gives is one argument. There is no "
        "shell."
    )
    directory: Template = option(
        "The folder in which it runs: a template that gives an absolute path.", default=Template("/")
    )
    environment: Mapping[str, Template] = option(
        "Variables beside `PATH`, `HOME`, `LANG` and the like, and `DUCT_TAPE_RUN`, `DUCT_TAPE_TAG`, ….", factory=dict
    )
    stdin: Stdin = option('What it reads: `"run"` is the line of JSON that a flag holds.', default="run")
    timeout: float = option("Seconds after which it is ended with its whole process group.", default=3600.0)
    kill_after: float = option(
        "Seconds that it has to clean up when it must end. Then what is left of its group is killed.", default=10.0
    )
    attempts: int = option(
        "How often it is tried while it fails. One by default: only you know whether a second time does harm.",
        default=1,
    )

    def ducttape_problems(self) -> Iterator[Problem]:
        """What the types cannot say."""
        yield from _command_problems(self.command)
        if len(self.environment) > MAX_ITEMS:
            yield Problem(message=f"there are more than {MAX_ITEMS} variables,", path="environment")
        for name in self.environment:
            if not _VARIABLE.fullmatch(name) or name.startswith(OURS):
                message = f"{name[:80]!r} cannot be the name of a variable,"
                yield Problem(message=message, path="environment", hint=f"letters, digits and `_`, but not `{OURS}…`")
        # Compared so that NaN is in no range.
        if not 0 < self.timeout <= MAX_SECONDS:
            yield Problem(message=f"expected a number of seconds above 0, at most {MAX_SECONDS},", path="timeout")
        if not 0 < self.kill_after <= MAX_KILL_AFTER:
            yield Problem(message=f"expected a number of seconds above 0, at most {MAX_KILL_AFTER},", path="kill_after")
        if not 1 <= self.attempts <= MAX_ATTEMPTS:
            yield Problem(message=f"expected a number from 1 to {MAX_ATTEMPTS},", path="attempts")


def is_literal(template: Template) -> bool:
    """Whether it is the same for every run."""
    return not any(mark in template.source for mark in ("{{", "{%", "{#"))


def _command_problems(command: Sequence[Template]) -> Iterator[Problem]:
    if not command:
        yield Problem(message="`command` is empty,", path="command", hint="its first member is the program")
        return
    if len(command) > MAX_ITEMS:
        yield Problem(message=f"there are more than {MAX_ITEMS} arguments,", path="command")
    if not is_literal(command[0]):
        yield Problem(message="the program is a template,", path="command[0]", hint="no release may choose it")
    # Where it is empty, the template itself could not be used, and that is told already.
    elif command[0].source and (problem := program_problem(command[0].source)):
        yield Problem(message=f"{problem},", path="command[0]")
    for index in _programs(command):
        yield Problem(
            message="a template becomes a part of a program here,",
            path=f"command[{index}]",
            hint="let the program be fixed, and read $DUCT_TAPE_TAG and the like, or arguments that follow it",
        )


def _programs(command: Sequence[Template]) -> Iterator[int]:
    """Where a template is what a shell or the like would run: ``["sh", "-c", "deploy {{ release.tag }}"]``."""
    interpreted = False
    for index, (item, following) in enumerate(pairwise(command)):
        interpreted = interpreted or bool(_INTERPRETER.fullmatch(item.source.rpartition("/")[2]))
        if interpreted and _PROGRAM_FOLLOWS.fullmatch(item.source) and not is_literal(following):
            yield index + 1
