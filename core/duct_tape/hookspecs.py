"""The hooks of a plugin.

A plugin is a module of functions behind an entry point in the group ``duct_tape.plugins``. Each function
is marked with ``hookimpl`` and takes any of its hook's arguments by name. Hooks are called for one
instance at a time, in the order of ``[plugins]`` in the configuration, and return their results. What a
hook raises switches that plugin off, as written below, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import click
import pluggy
from attrs import frozen
from starlette.routing import Route

from duct_tape.context import Context
from duct_tape.errors import Problem
from duct_tape.runs import Refusal, Run
from duct_tape.triggers import Action

NAMESPACE = "duct_tape"
PREFIX = "ducttape_"

# A plugin names the version that it was written for: DUCT_TAPE_API = (1, 0). The first number changes
# when something is taken away, the second when something is added.
API_VERSION = (1, 0)

hookspec = pluggy.HookspecMarker(NAMESPACE)
hookimpl = pluggy.HookimplMarker(NAMESPACE)


@frozen(kw_only=True)
class Check:
    """One answer to "is everything well?".

    :param name: what was looked at.
    :param healthy: whether it is well.
    :param detail: a sentence for operators; never shown on the public socket.
    """

    name: str
    healthy: bool
    detail: str = ""


class HookSpecs(Protocol):
    """Every hook with its exact signature."""

    @hookspec(firstresult=True)
    def ducttape_config_class(self) -> type:
        """The attrs class of the instance's table in the configuration.

        Called before anything else. Without it the table must be empty. On error: plugin off.
        """
        ...

    @hookspec
    def ducttape_setup(self, ctx: Context) -> None:
        """Prepare the instance, once, after the configuration is known.

        Raise ``PluginError`` with one sentence where it cannot work. On error: plugin off.
        """

    @hookspec
    def ducttape_actions(self, ctx: Context) -> Mapping[str, Action[Any]]:
        """The actions that triggers can name, after all setups.

        On error: plugin off. Two plugins with one name: the later one is off, and both are named.
        """
        ...

    @hookspec
    def ducttape_routes(self, ctx: Context) -> Iterable[Route]:
        """Routes, mounted under ``ctx.prefix`` and nowhere else. ``"/"`` is the prefix itself.

        On error: plugin off; its mount answers 503.
        """
        ...

    @hookspec
    def ducttape_lifespan(self, ctx: Context) -> AbstractAsyncContextManager[None]:
        """Entered in order when the server starts and left in reverse when it stops.

        On error: plugin off; its mount answers 503.
        """
        ...

    @hookspec
    async def ducttape_on_run(self, ctx: Context, run: Run) -> None:
        """A run changed its state.

        On error, or after 10 seconds: logged and counted; the other plugins are told all the same.
        """

    @hookspec
    def ducttape_before_run(self, ctx: Context, run: Run) -> Refusal | None:
        """Asked before an action is carried out; a ``Refusal`` ends the run as ``refused``.

        On error: the run is refused.
        """
        ...

    @hookspec
    def ducttape_health(self, ctx: Context) -> Iterable[Check]:
        """Checks for ``/readyz`` and the admin socket. On error: an unhealthy check."""
        ...

    @hookspec
    def ducttape_doctor(self, ctx: Context) -> Iterable[Check]:
        """Checks for ``duct-tape doctor`` only, for what may take a while, such as asking another server.

        On error, or after 30 seconds: an unhealthy check.
        """
        ...

    @hookspec
    def ducttape_check(self, ctx: Context) -> Iterable[Problem]:
        """What is wrong with the instance's configuration, for ``duct-tape check`` only."""
        ...

    @hookspec
    def ducttape_commands(self, ctx: Context) -> Iterable[click.Command]:
        """Commands, offered as ``duct-tape <instance> <command>``. On error: a message instead."""
        ...


HOOKS = tuple(name for name in vars(HookSpecs) if name.startswith(PREFIX))
