"""``duct-tape serve``."""

from __future__ import annotations

from pathlib import Path

import click

from duct_tape import logs
from duct_tape.assembly import assemble_sources
from duct_tape.cli.options import config_option
from duct_tape.conf.load import load
from duct_tape.conf.sources import read


@click.command("serve", epilog="Example: duct-tape serve --config /etc/duct-tape/duct_tape.toml")
@config_option
def command(config: Path | None) -> None:
    """Receive webhooks until SIGTERM or Ctrl-C.

    Nothing starts while anything in the configuration is wrong; `duct-tape check` shows the same problems.
    """
    from duct_tape.web.serve import serve

    sources = read(config)
    # The log's own settings come first: plugins log while they are loaded.
    settings = load(sources)[0].core.log
    logs.configure(settings.level, settings.format)
    serve(assemble_sources(sources).require())
