"""``duct-tape init``."""

from __future__ import annotations

import json
import os
import secrets
from importlib.resources import files
from pathlib import Path

import click

from duct_tape.conf.options import http_url
from duct_tape.conf.schema import schema
from duct_tape.conf.sections import sections
from duct_tape.conf.sources import DEFAULT_PATH
from duct_tape.errors import DuctTapeError
from duct_tape.secret import INITIAL

SECRET = Path(INITIAL)
SCHEMA = "duct_tape.schema.json"


def _url(context: click.Context, parameter: click.Parameter, value: str) -> str:
    try:
        return http_url(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command("init", epilog="Example: duct-tape init && ./scripts/serve")
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("conf"),
    show_default=True,
    help="Where to write.",
)
@click.option("--url", default="https://YOUR-SERVER", callback=_url, help="The public address of this server.")
def command(directory: Path, url: str) -> None:
    """Write a starter configuration, its schema and a strong secret.

    Files that are there already are kept. The secret is a file of its own, readable by its owner only.
    """
    configuration, secret = directory / "duct_tape.toml", directory / SECRET
    # JSON's way of quoting is TOML's, too.
    text = starter().replace('"conf/secrets/github"', json.dumps(str(secret), ensure_ascii=False))
    click.echo(_write(configuration, text.encode("utf-8"), 0o644))
    # The configuration's first line names it, for editors.
    click.echo(_write(directory / SCHEMA, f"{json.dumps(schema(sections()), indent=2)}\n".encode(), 0o644))
    click.echo(_write(secret, f"{secrets.token_hex(32)}\n".encode("ascii"), 0o600))
    click.echo(_next_steps(configuration, secret, url.rstrip("/")))


def starter() -> str:
    """The starter configuration."""
    return files("duct_tape.conf").joinpath("starter.toml").read_text("utf-8")


def _write(path: Path, content: bytes, mode: int) -> str:
    try:
        if path.exists():
            return f"kept   {path}"
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
        except OSError:
            # Half a secret would be kept the next time.
            path.unlink()
            raise
    except OSError as error:
        raise DuctTapeError(f"{error.filename or path} cannot be written: {error.strerror}") from None
    return f"wrote  {path}"


def _next_steps(configuration: Path, secret: Path, url: str) -> str:
    check = "duct-tape check" + ("" if configuration == DEFAULT_PATH else f" --config {configuration}")
    return f"""
In the settings of your repository on GitHub, under Webhooks, choose "Add webhook" and enter:

  Payload URL    {url}/integrations/github
  Content type   application/json
  Secret         the line in {secret}  (show it with: cat {secret})
  Events         "Let me select individual events", then only "Releases"

Then name the repository in {configuration} and run `{check}`."""
