"""``duct-tape check``."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

import attrs
import click

from duct_tape.assembly import Assembly, assemble
from duct_tape.cli.options import config_option, json_option, print_json
from duct_tape.delivery import PlannedRun
from duct_tape.errors import ConfigurationError, PermanentError, Problem
from duct_tape.events import Event, Release
from duct_tape.plugins.instance import Instance
from duct_tape.plugins.isolation import PluginFailure, call


@click.command("check", epilog="Example: duct-tape check && duct-tape serve")
@config_option
@json_option
def command(config: Path | None, as_json: bool) -> int:
    """Find everything that is wrong with the configuration.

    Every template is rendered for a sample release. Exit code 1 if there is any problem, else 0.
    """
    logging.disable(logging.CRITICAL)
    try:
        assembly = assemble(config)
        problems = check(assembly)
    except ConfigurationError as error:
        problems = list(error.problems)
    if as_json:
        print_json({"problems": [attrs.asdict(problem) for problem in problems]})
    else:
        for problem in problems:
            click.echo(f"error: {problem}")
        if problems:
            click.echo(f"{len(problems)} problem{'s' if len(problems) > 1 else ''} found")
        else:
            click.echo(_summary(assembly))
    return 1 if problems else 0


def check(assembly: Assembly) -> list[Problem]:
    """Every problem of the configuration and of the plugins that it names."""
    problems = list(assembly.problems)
    for instance in assembly.registry:
        problems += _instance_problems(assembly, instance)
    problems += _unused_triggers(assembly)
    return problems


def _instance_problems(assembly: Assembly, instance: Instance) -> Iterable[Problem]:
    sources = assembly.configuration.sources
    path = ("plugins", instance.name)
    if not instance.on and instance.failed_stage != "config":
        message = f"the plugin is off: {instance.failed_stage}: {instance.failure},"
        return [sources.problem(message, path, f"it is {instance.installed.origin}")]
    hook = assembly.registry.hook(instance, "ducttape_check")
    if hook is None:
        return []
    try:
        found: list[object] = call(lambda: list(hook() or ()))
    except PluginFailure as failure:
        return [sources.problem(f"the plugin's own check failed: {failure},", path)]
    problems = [problem for problem in found if isinstance(problem, Problem)]
    if len(problems) < len(found):
        return [sources.problem("the plugin's own check returned something else than problems,", path)]
    return [attrs.evolve(problem, file=problem.file or sources.file(path)) for problem in problems]


def _unused_triggers(assembly: Assembly) -> Iterable[Problem]:
    """Render the triggers that no integration's own check has rendered."""
    release = Release(
        id="1",
        tag="v1.0.0",
        name="Release v1.0.0",
        url="https://example.com/releases/v1.0.0",
        commit="main",
        published_at="2026-01-02T03:04:05Z",
        author="octocat",
    )
    event = Event(name="release", action="published", delivery="sample", repository="owner/name", release=release)
    for name in [name for name in assembly.triggers if name not in assembly.previewed]:
        try:
            assembly.preview("sample", PlannedRun(application="application", trigger=name), event)
        except PermanentError as error:
            path = ("triggers", name)
            hint = "no integration uses this trigger, so it was tried without vars and payload"
            yield assembly.configuration.sources.problem(f"the trigger cannot be used: {error},", path, hint)


def _summary(assembly: Assembly) -> str:
    plugins = ", ".join(instance.name for instance in assembly.registry) or "none"
    triggers = ", ".join(assembly.triggers) or "none"
    return f"{assembly.configuration.sources.path} is fine (plugins: {plugins}; triggers: {triggers})"
