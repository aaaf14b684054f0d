"""``duct-tape lint``."""

from __future__ import annotations

from typing import Any

import attrs
import click

from duct_tape.cli.options import json_option, print_json
from duct_tape.lint.finding import RULES
from duct_tape.lint.report import Report, reported
from duct_tape.lint.target import TargetError, opened
from duct_tape.logs import escaped


def _all_rules(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        width = max(map(len, RULES))
        for rule, meaning in RULES.items():
            click.echo(f"{rule:<{width}}  {meaning}")
        context.exit()


@click.command("lint", epilog="Example: duct-tape lint .")
@click.argument("target", default=".")
@click.option("--ignore", multiple=True, type=click.Choice(list(RULES)), metavar="RULE", help="Leave this rule out.")
@click.option("--rules", is_flag=True, is_eager=True, expose_value=False, callback=_all_rules, help="Print all rules.")
@json_option
def command(target: str, ignore: tuple[str, ...], as_json: bool) -> int:
    """Tell a plugin's author what is wrong before a user does.

    TARGET is the plugin's project folder, its wheel, or the name of an installed plugin, distribution or module.
    The plugin is imported in a process of its own. Exit code 1 if there is any problem, else 0.
    """
    try:
        with opened(target) as subject:
            report = reported(subject, ignore)
    except TargetError as error:
        raise click.UsageError(str(error)) from None
    if as_json:
        print_json(as_data(report))
    else:
        _print(report)
    return 1 if report.findings else 0


def as_data(report: Report) -> dict[str, Any]:
    """The report for scripts."""
    data = attrs.asdict(report)
    return {"problems": data.pop("findings"), **data}


def _print(report: Report) -> None:
    for finding in report.findings:
        click.echo(escaped(str(finding)))
    for note in report.notes:
        click.echo(escaped(f"note: {note}"))
    plugins = f" (plugins: {', '.join(report.plugins)})" if report.plugins else ""
    number = len(report.findings)
    verdict = f"{number} problem{'s' if number != 1 else ''}" if number else "it is fine"
    click.echo(f"{report.distribution} {report.version}{plugins}: {verdict}")
