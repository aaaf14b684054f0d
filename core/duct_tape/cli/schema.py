"""``duct-tape schema``."""

from __future__ import annotations

import json
import logging

import click

from duct_tape.conf.reference import reference
from duct_tape.conf.schema import schema
from duct_tape.conf.sections import sections


@click.command("schema", epilog="Example: duct-tape schema > conf/duct_tape.schema.json")
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "markdown"]),
    default="json",
    show_default=True,
    help="A JSON Schema for editors, or the reference page.",
)
def command(form: str) -> None:
    """Print a JSON Schema of the configuration for editors.

    It covers the core and every installed plugin. Editors with a TOML language server use it when the first
    line of the configuration is `#:schema ./duct_tape.schema.json`.
    """
    logging.disable(logging.CRITICAL)
    found = sections()
    click.echo(reference(found) if form == "markdown" else json.dumps(schema(found), indent=2))
