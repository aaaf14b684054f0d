"""Commands that enabled plugins contribute, as ``duct-tape <instance> <command>``."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

import click

from duct_tape.assembly import assemble, local_url
from duct_tape.cli.send import send_command
from duct_tape.errors import ConfigurationError
from duct_tape.plugins.isolation import PluginFailure, call
from duct_tape.senders import receives


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
    try:
        commands: list[click.Command] = call(lambda: checked_commands(hook)) if hook else []
    except PluginFailure as failure:
        raise click.ClickException(f"plugin {name} failed to offer its commands: {failure}") from None
    # Every integration has this one, unless it brings one of its own.
    if receives(instance) and "send" not in [command.name for command in commands]:
        commands.append(send_command(assembly, instance, local_url(assembly.configuration.core.server.bind)))
    if not commands:
        raise click.ClickException(f"plugin {name} has no commands")
    return click.Group(name, commands=commands, help=f"Commands of the plugin {name}.")


def checked_commands(hook: Callable[[], Any]) -> list[click.Command]:
    """What the hook ``ducttape_commands`` returns, if click can work with it.

    :raises PluginFailure: it cannot.
    """
    offered = hook()
    if offered is None:
        return []
    if not isinstance(offered, Iterable):
        raise PluginFailure("ducttape_commands must return click commands", unexpected=False)
    commands: list[click.Command] = []
    for command in offered:
        if not isinstance(command, click.Command):
            raise PluginFailure(f"{type(command).__name__} is not a click command", unexpected=False)
        if not command.name:
            raise PluginFailure("a command has no name", unexpected=False)
        if command.name in [other.name for other in commands]:
            raise PluginFailure(f"two commands are called `{command.name}`", unexpected=False)
        commands.append(command)
    return commands
