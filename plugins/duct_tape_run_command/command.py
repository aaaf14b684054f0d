"""What is run for a run. Nothing here does any I/O but to look whether the program is there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from attrs import field, frozen

from duct_tape.api import PermanentError, Run, Template
from duct_tape_run_command.conf import RunCommandSettings, is_literal
from duct_tape_run_command.program import PATH, program

# Bytes. Linux takes 128 KiB for one, and a quarter of the stack, usually 2 MiB, for all.
MAX_ONE = 32 * 1024
MAX_ALL = 256 * 1024
# Nothing else of the server's is handed down: a secret in its environment is not a command's business.
KEPT = ("HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR", "XDG_RUNTIME_DIR", "DOCKER_HOST")


@frozen(kw_only=True)
class Command:
    """A program with everything that it is given.

    :param chosen: the variables that the trigger names.
    """

    arguments: tuple[str, ...]
    directory: str
    environment: Mapping[str, str] = field(repr=False)
    chosen: Mapping[str, str]
    stdin: str


def command_of(run: Run, settings: RunCommandSettings, ours: Mapping[str, str]) -> Command:
    """The command for a run.

    :param ours: the server's environment.
    :raises PermanentError: a template cannot be rendered, or what it gives cannot be handed over.
    """
    variables = run.variables()
    first, *others = settings.command
    chosen = {name: _plain(name, template.render(variables)) for name, template in settings.environment.items()}
    arguments = (program(first.source), *_arguments(others, variables))
    if sum(len(text.encode()) for text in (*arguments, *chosen.values())) > MAX_ALL:
        raise PermanentError(f"the command has more than {MAX_ALL // 1024} KiB of arguments and variables")
    kept = {name: ours[name] for name in KEPT if name in ours}
    return Command(
        arguments=arguments,
        directory=_directory(settings.directory.render(variables)),
        environment={"PATH": PATH, **kept, **chosen, **run.flag().environment()},
        chosen=chosen,
        stdin=run.flag().to_line() if settings.stdin == "run" else "",
    )


def preview(command: Command) -> Mapping[str, str]:
    """The exact list of arguments, and what else the trigger decides."""
    return {
        "command": json.dumps(command.arguments, ensure_ascii=False),
        "directory": command.directory,
        "environment": "\n".join(f"{name}={json.dumps(value)}" for name, value in command.chosen.items()),
        "stdin": command.stdin,
    }


def _arguments(templates: list[Template], variables: Mapping[str, object]) -> Iterator[str]:
    no_options_follow = False
    for number, template in enumerate(templates, 1):
        text = _plain(f"argument {number}", template.render(variables))
        if text.startswith("-") and not (no_options_follow or template.source.startswith("-")):
            # A tag such as `--upload-pack=…` would be an option.
            raise PermanentError(
                f'argument {number} begins with a dash, which the program would take for an option: put "--" before '
                "it, if the program knows that, or a fixed text in front of the template, such as --tag="
            )
        no_options_follow = no_options_follow or (is_literal(template) and text == "--")
        yield text


def _plain(what: str, text: str) -> str:
    if "\0" in text:
        raise PermanentError(f"{what} holds a NUL, which cannot be handed over")
    if len(text.encode()) > MAX_ONE:
        raise PermanentError(f"{what} has more than {MAX_ONE // 1024} KiB")
    return text


def _directory(text: str) -> str:
    path = PurePosixPath(_plain("`directory`", text))
    if not path.is_absolute() or ".." in path.parts:
        raise PermanentError(f"`directory` is {text[:200]!r}, which is not an absolute path without `..`")
    return text
