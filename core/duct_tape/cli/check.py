"""``duct-tape check``."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

import attrs
import click

from duct_tape.assembly import Assembly, assemble
from duct_tape.cli.contributed import checked_commands
from duct_tape.cli.explained import settings
from duct_tape.cli.options import config_option, json_option, print_json, print_table
from duct_tape.conf.sources import KeyPath, Sources, undotted
from duct_tape.delivery import PlannedRun
from duct_tape.errors import ConfigurationError, Problem
from duct_tape.events import Event, Release
from duct_tape.plugins.instance import Instance
from duct_tape.plugins.isolation import PluginFailure, call
from duct_tape.senders import problems_of, triggers_of_rules

# Stands for the instance, where no integration uses a trigger. None can have this name.
SAMPLE = "a sample"


@click.command("check", epilog="Example: duct-tape check && duct-tape serve")
@config_option
@click.option("--explain", is_flag=True, help="Print every setting: its value, where it is from, what it means.")
@json_option
def command(config: Path | None, explain: bool, as_json: bool) -> int:
    """Find everything that is wrong with the configuration.

    Every template is rendered for a sample release. Exit code 1 if there is any problem, else 0. Of secrets it is only
    told where they are.
    """
    logging.disable(logging.CRITICAL)
    warnings: list[str] = []
    try:
        assembly = assemble(config)
        warnings = assembly.registry.deprecations()
        problems = check(assembly)
    except ConfigurationError as error:
        problems = list(error.problems)
    explained = [attrs.asdict(setting) for setting in settings(assembly)] if explain and not problems else None
    if as_json:
        rows = [attrs.asdict(attrs.evolve(item, message=item.message.rstrip(","))) for item in problems]
        told = {} if explained is None else {"settings": explained}
        runs = [] if problems else _sample_runs(assembly)
        print_json({"problems": rows, "warnings": warnings, "runs": runs, **told})
    elif explained is not None:
        print_table(explained, ("key", "value", "source", "meaning"))
    else:
        for problem in problems:
            click.echo(f"error: {problem}")
        for warning in warnings:
            click.echo(f"warning: {warning}")
        if problems:
            click.echo(f"{len(problems)} problem{'s' if len(problems) > 1 else ''} found")
        else:
            click.echo(_summary(assembly))
            for run in _sample_runs(assembly):
                click.echo("{instance}: {repository} → {application} by {trigger}".format(**run))
    return 1 if problems else 0


def check(assembly: Assembly) -> list[Problem]:
    """Every problem of the configuration and of the plugins that it names."""
    problems = list(assembly.problems)
    # From here on every cause is told; what only follows from it is not.
    assembly.checking = True
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
    return [
        *_command_problems(assembly, instance),
        *_sample_problems(assembly, instance),
        *_own_problems(assembly, instance),
    ]


def _command_problems(assembly: Assembly, instance: Instance) -> Iterable[Problem]:
    hook = assembly.registry.hook(instance, "ducttape_commands")
    try:
        if hook is not None:
            call(lambda: checked_commands(hook))
    except PluginFailure as failure:
        yield assembly.configuration.sources.problem(
            f"the plugin failed to offer its commands: {failure},", ("plugins", instance.name)
        )


def _sample_problems(assembly: Assembly, instance: Instance) -> Iterable[Problem]:
    sources = assembly.configuration.sources
    path = ("plugins", instance.name)
    try:
        return _located(sources, path, call(lambda: list(problems_of(assembly, instance))))
    except PluginFailure as failure:
        return [sources.problem(f"the plugin failed on its own sample: {failure},", path)]


def _own_problems(assembly: Assembly, instance: Instance) -> Iterable[Problem]:
    sources = assembly.configuration.sources
    path = ("plugins", instance.name)
    hook = assembly.registry.hook(instance, "ducttape_check")
    if hook is None:
        return []
    try:
        found: list[object] = call(lambda: list(hook() or ()))
    except PluginFailure as failure:
        return [sources.problem(f"the plugin's own check failed: {failure},", path)]
    problems = [problem for problem in found if isinstance(problem, Problem) and all(_texts(problem))]
    if len(problems) < len(found):
        return [sources.problem("the plugin's own check returned something else than problems,", path)]
    return _located(sources, path, problems)


def _texts(problem: Problem) -> Iterable[bool]:
    return (isinstance(text, str) for text in (problem.message, problem.path, problem.file, problem.hint))


def _located(sources: Sources, path: KeyPath, problems: Iterable[Problem]) -> list[Problem]:
    return [attrs.evolve(problem, file=problem.file or _file(sources, path, problem)) for problem in problems]


def _file(sources: Sources, path: KeyPath, problem: Problem) -> str:
    keys = undotted(problem.path)
    return sources.file(keys if keys[: len(path)] == path else path)


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
    previewed = {planned.trigger for _, _, planned in assembly.previewed} | triggers_of_rules(assembly)
    for name in [name for name in assembly.triggers if name not in previewed]:
        try:
            call(lambda: assembly.preview(SAMPLE, PlannedRun(application="application", trigger=name), event))  # noqa: B023
        except PluginFailure as failure:
            path = ("triggers", name)
            hint = "no integration uses this trigger, so it was tried without vars and payload"
            yield assembly.configuration.sources.problem(f"the trigger cannot be used: {failure},", path, hint)


def _sample_runs(assembly: Assembly) -> list[dict[str, str]]:
    """The runs that the integrations plan for their sample releases."""
    rows = {
        (instance, repository, planned.application, planned.trigger): None
        for instance, repository, planned in assembly.previewed
        if instance != SAMPLE
    }
    return [dict(zip(("instance", "repository", "application", "trigger"), row, strict=True)) for row in rows]


def _summary(assembly: Assembly) -> str:
    plugins = ", ".join(instance.name for instance in assembly.registry) or "none"
    triggers = ", ".join(assembly.triggers) or "none"
    return f"{assembly.configuration.sources.path} is fine (plugins: {plugins}; triggers: {triggers})"
