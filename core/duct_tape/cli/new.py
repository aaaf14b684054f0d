"""``duct-tape new``."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from duct_tape.cli import COMMANDS
from duct_tape.conf.options import http_url
from duct_tape.plugins.discovery import installed
from duct_tape.scaffold.names import Names, named
from duct_tape.scaffold.project import KINDS, Project

SECONDS = 5.0


def _name(context: click.Context, parameter: click.Parameter, value: str) -> Names:
    try:
        return named(value, {*COMMANDS, *installed()})
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _line(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not (value.strip() and value.isprintable()):
        raise click.BadParameter("it has to be one line of text")
    return value


def _url(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    try:
        return None if value is None else http_url(value).rstrip("/")
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command("new", epilog="Example: duct-tape new hello --kind integration")
@click.argument("names", metavar="NAME", callback=_name)
@click.option("--kind", type=click.Choice(list(KINDS)), help="What it does; asked for on a terminal.")
@click.option("--author", callback=_line, help="For the licence.  [default: git's user.name]")
@click.option("--url", callback=_url, help="Where its source will be.  [default: on GitHub]")
@click.option(
    "--directory",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    default=Path("."),
    show_default=True,
    help="Where the project's folder is made.",
)
def command(names: Names, kind: str | None, author: str | None, url: str | None, directory: Path) -> None:
    """Start a plugin: a whole project that works, with tests and CI.

    NAME is the plugin's name: `hello` makes the folder duct-tape-hello with the package duct_tape_hello. Nothing that
    is there is overwritten.
    """
    account = git("github.user") or "YOUR-NAME"
    project = Project(
        names=names,
        kind=kind or ask(),
        author=author or git("user.name") or f"The {names.distribution} contributors",
        url=url or f"https://github.com/{account}/{names.distribution}",
        year=datetime.now(UTC).year,
    )
    folder = project.write(directory)
    click.echo(f"wrote  {folder}: {len(project.files())} files, the {project.kind} `{names.plugin}`")
    click.echo(_next_steps(project, folder))


def ask() -> str:
    """The kind, asked on a terminal; elsewhere nobody would answer.

    :raises click.UsageError: there is no terminal.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError(f"say which kind of plugin it is: --kind {'|'.join(KINDS)}")
    for kind, meaning in KINDS.items():
        click.echo(f"  {kind:<12} {meaning.format(name='a sender')}")
    answer: str = click.prompt("Which kind", type=click.Choice(list(KINDS)), default="integration")
    return answer


def git(key: str) -> str:
    """What git's configuration says, or an empty string."""
    program = shutil.which("git")
    if program is None:
        return ""
    try:
        done = subprocess.run([program, "config", key], capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return ""
    said = done.stdout.strip()
    return said if said.isprintable() else ""


def _next_steps(project: Project, folder: Path) -> str:
    address = "" if "YOUR-NAME" not in project.url else "\nThen put the address of its source into setup.cfg."
    return f"""
  cd {folder}
  python -m pip install --editable '.[test]'
  python -m pytest && duct-tape lint .
{address}""".rstrip()
