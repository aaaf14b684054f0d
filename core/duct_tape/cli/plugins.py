"""``duct-tape plugins``."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import click

from duct_tape.assembly import assemble
from duct_tape.cli.options import config_option, json_option, print_json, print_table
from duct_tape.errors import ConfigurationError
from duct_tape.plugins.discovery import installed


@click.command("plugins", epilog="Example: duct-tape plugins --json")
@config_option
@json_option
def command(config: Path | None, as_json: bool) -> int:
    """List what is installed, enabled and broken.

    Only plugins that the configuration names are imported. Exit code 1 if one of them is off.
    """
    logging.disable(logging.CRITICAL)
    rows, problems, warnings = plugin_rows(config)
    if as_json:
        print_json({"plugins": rows, "problems": problems})
    else:
        _print(rows)
        for warning in warnings:
            click.echo(f"warning: {warning}", err=True)
        for problem in problems:
            click.echo(f"error: {problem}", err=True)
    return 1 if problems or any(row["error"] for row in rows) else 0


def plugin_rows(config: Path | None) -> tuple[list[dict[str, Any]], list[str], list[str]]:
    """A row for each enabled instance and for each installed plugin that is not enabled; problems; deprecations."""
    rows: list[dict[str, Any]] = []
    problems: list[str] = []
    warnings: list[str] = []
    try:
        assembly = assemble(config)
        rows = [instance.status() for instance in assembly.registry]
        problems = [str(problem) for problem in assembly.problems]
        warnings = assembly.registry.deprecations()
    except ConfigurationError as error:
        problems = [str(problem) for problem in error.problems]
    enabled = {row["plugin"] for row in rows}
    for plugin in (plugin for found in installed().values() for plugin in found):
        if plugin.name not in enabled:
            rows.append(
                {
                    "instance": None,
                    "plugin": plugin.name,
                    "distribution": plugin.distribution,
                    "version": plugin.version,
                    "enabled": False,
                    "hooks": [],
                    "import_ms": None,
                    "failures": 0,
                    "last_failure": None,
                    "deprecations": [],
                    "error": None,
                }
            )
    return rows, problems, warnings


def _print(rows: list[dict[str, Any]]) -> None:
    shown = [
        {
            "instance": row["instance"] or "-",
            "plugin": row["plugin"],
            "distribution": f"{row['distribution']} {row['version']}",
            "enabled": "yes" if row["enabled"] else "no",
            "import": f"{row['import_ms']} ms" if row["import_ms"] is not None else "-",
            "hooks": " ".join(hook.removeprefix("ducttape_") for hook in row["hooks"]) or "-",
            "error": row["error"] or "",
        }
        for row in rows
    ]
    print_table(shown, ["instance", "plugin", "distribution", "enabled", "import", "hooks", "error"])
