"""Commands that enabled plugins contribute, as ``duct-tape <instance> <command>``."""

from __future__ import annotations

import logging

import click

from duct_tape.assembly import assemble
from duct_tape.errors import ConfigurationError
from duct_tape.plugins.isolation import PluginFailure, call


def contributed_group(name: str) -> click.Group | None:
    """The group of an instance's commands, or None when the configuration names no such instance.

    :raises ConfigurationError: the configuration is wrong.
    :raises click.UsageError: there is no configuration that could name it.
    :raises click.ClickException: the plugin is off or has no commands.
    """
    logging.disable(logging.CRITICAL)
    try:
        assembly = assemble()
    except ConfigurationError as error:
        # More often a typing mistake than a plugin in the wrong folder.
        raise click.UsageError(f"there is no command `{name}`, nor a plugin of that name: {error}") from None
    instance = assembly.instance(name)
    if instance is None:
        return None
    assembly.require()
    if not instance.on:
        raise click.ClickException(f"plugin {name} is off: {instance.failed_stage}: {instance.failure}")
    hook = assembly.registry.hook(instance, "ducttape_commands")
    if hook is None:
        raise click.ClickException(f"plugin {name} has no commands")
    try:
        commands: list[click.Command] = call(lambda: list(hook() or ()))
    except PluginFailure as failure:
        raise click.ClickException(f"plugin {name} failed to offer its commands: {failure}") from None
    return click.Group(name, commands=commands, help=f"Commands of the plugin {name}.")
