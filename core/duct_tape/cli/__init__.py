"""The command ``duct-tape``.

Each sub-command is a module of its own that is imported only when it is called: `duct-tape listen` on
the host must not pay for the web server.
"""

from __future__ import annotations

import difflib
import importlib
import io
import sys
from typing import NoReturn

import click

from duct_tape import __version__
from duct_tape.errors import ConfigurationError, DuctTapeError

COMMANDS = {
    "cancel": "End a run that waits or is deployed, with all its processes.",
    "check": "Find everything that is wrong with the configuration.",
    "doctor": "Look for what keeps a release from being deployed.",
    "init": "Write a starter configuration, its schema and a strong secret.",
    "lint": "Tell a plugin's author what is wrong before a user does.",
    "listen": "On the host: answer flags by running bin/deploy.",
    "new": "Start a plugin: a whole project that works, with tests and CI.",
    "deliveries": "List what senders delivered, show one delivery, or replay it.",
    "pause": "Carry out no runs of an application until `duct-tape resume`.",
    "plugins": "List what is installed, enabled and broken.",
    "redeploy": "Deploy an application again, or back to an earlier version.",
    "resume": "Carry out the runs of a paused application again.",
    "runs": "List runs; show, follow, repeat or discard one.",
    "schema": "Print a JSON Schema of the configuration for editors.",
    "serve": "Receive webhooks.",
    "simulate": "Show what a delivery would do, without doing it.",
}


class LazyGroup(click.Group):
    """Imports ``duct_tape.cli.<name>`` for the sub-command ``<name>`` when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in COMMANDS:
            command: click.Command = importlib.import_module(f"duct_tape.cli.{name}").command
            return command
        from duct_tape.cli.contributed import contributed_group

        return contributed_group(name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            if near := difflib.get_close_matches(args[0], COMMANDS, n=1):
                sentence = f"{error.message.rstrip('.')}; did you mean `{near[0]}`?"
                raise click.UsageError(sentence, error.ctx) from None
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in self.list_commands(ctx)])
        with formatter.section("Plugins"):
            formatter.write_text("An enabled plugin may add commands of its own: duct-tape PLUGIN --help")


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: duct-tape check && duct-tape serve",
)
@click.version_option(__version__, prog_name="duct-tape")
def group() -> None:
    """Turns webhooks into actions on your own machine."""


def main() -> NoReturn:
    """Run the command line; a problem of the user's is a sentence and exit code 1, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Not every terminal can show every name.
            stream.reconfigure(errors="backslashreplace")
    try:
        code = group.main(prog_name="duct-tape", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except ConfigurationError as error:
        for problem in error.problems:
            click.echo(f"error: {problem}", err=True)
        sys.exit(1)
    except DuctTapeError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
