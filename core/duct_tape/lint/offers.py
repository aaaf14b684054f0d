"""What a plugin returns when it is asked, for a made-up configuration: actions, routes and commands."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from starlette.routing import Route

from duct_tape.assembly import assemble_sources
from duct_tape.cli.contributed import checked_commands
from duct_tape.conf.model import PluginTable
from duct_tape.context import Context
from duct_tape.errors import DuctTapeError, MalformedError, UnsupportedMediaError
from duct_tape.lint.annotations import fits, hints
from duct_tape.lint.finding import Finding
from duct_tape.lint.places import NOWHERE, Place, of_function
from duct_tape.lint.sample import SAMPLE, sources
from duct_tape.plugins.actions import Offered, checked_actions
from duct_tape.plugins.discovery import installed
from duct_tape.plugins.isolation import PluginFailure, call
from duct_tape.plugins.mounts import checked_routes
from duct_tape.plugins.registry import Registry
from duct_tape.runs import Outcome
from duct_tape.sample import Sample
from duct_tape.triggers import Action
from duct_tape.web.receive import Receiver, ReceiverRoute, json_delivery

# Asked one after the other, so that a plugin that hangs in all of them still ends in time.
SECONDS = 5.0
# Parts of these bodies are missing, of another type, or no JSON at all.
ODD = (b"{}", b"", b"[]", b"null", b'"text"', b'{"id": 5, "action": [], "repository": {"name": null}}', b"\xff{")
PREPARING = ("DUCT_TAPE_API", "ducttape_config_class", "ducttape_setup")


def context(plugin: ModuleType, cls: type | None, folder: Path) -> Context | str:
    """The context of an instance with a made-up configuration, or why there is none.

    :param plugin: what ``hooks.sound`` made.
    """
    prepared = ModuleType(SAMPLE)
    vars(prepared).update({key: value for key, value in vars(plugin).items() if key in PREPARING})
    assembly = assemble_sources(sources(SAMPLE, cls, folder), {SAMPLE: prepared})
    instance = assembly.instance(SAMPLE)
    own = [problem.message for problem in assembly.problems if problem.path.startswith("plugins.")]
    if own:
        return own[0].rstrip(",")
    if instance is None or instance.context is None or not instance.on:
        return f"{instance.failed_stage}: {instance.failure}" if instance else "it cannot be configured"
    return instance.context


def actions(plugin: ModuleType, name: str) -> tuple[dict[str, Action[Any]], list[Finding]]:
    """The actions, asked for without a context: `duct-tape schema` does so."""
    hook = getattr(plugin, "ducttape_actions", None)
    if hook is None:
        return {}, []
    good: dict[str, Action[Any]] = {}
    try:
        offered: Any = call(lambda: asked(hook, None), SECONDS) or {}
        call(lambda: checked_actions(offered, name, {}), SECONDS)
        good = dict(offered)
        checked_actions(good, name, others(name))
    except PluginFailure as failure:
        hint = "the settings of an action belong to no instance: use `ctx` inside of `perform` only"
        return good, [_finding("actions", hook, failure, hint if failure.unexpected else "")]
    return good, []


def callables(name: str, action: Action[Any]) -> Iterator[Finding]:
    """What is wrong with the two functions of an action: nothing would be noticed before the first run."""
    for role, function in (("perform", action.perform), ("preview", action.preview)):
        if problem := _uncallable(role, function):
            file, line = of_function(function) if callable(function) else NOWHERE
            message = f"`{role}` of the action `{name}` {problem[0]}"
            yield Finding(rule="actions", message=message, hint=problem[1], file=file, line=line)


def _uncallable(role: str, function: Any) -> tuple[str, str] | None:
    if not callable(function):
        return "cannot be called", "give it a function of a run and the settings"
    try:
        inspect.signature(function).bind(None, None)
    except TypeError:
        return "does not take a run and the settings", f"write `{role}(run: Run, settings: Settings)`"
    except ValueError:
        # What is written in C may keep its arguments to itself.
        return None
    if role == "preview" and inspect.iscoroutinefunction(function):
        return "is async, and is not awaited", "write `def`"
    returned = hints(function).get("return", Any) if inspect.isfunction(function) else Any
    if role == "perform" and not inspect.iscoroutinefunction(function) and not fits(returned, Awaitable[Outcome]):
        return "is not async", "write `async def`"
    return None


def routes(plugin: ModuleType, ctx: Context) -> Iterator[Finding | str]:
    """What is wrong with the routes, by the rules of the server's own start; or why nobody can know."""
    found: list[Route] = []
    if hook := getattr(plugin, "ducttape_routes", None):
        yield from _tried("routes", hook, lambda: found.extend(checked_routes(asked(hook, ctx) or ())))
    for route in found:
        if isinstance(route, ReceiverRoute):
            yield from received(route.receiver)


def received(receiver: Receiver) -> Iterator[Finding]:
    """What a receiver makes of bodies that its sender would never send, and of its own sample."""
    file, line = of_function(receiver.parse)
    for body in ODD:
        try:
            call(lambda: receiver.understood(json_delivery(body)), SECONDS)  # noqa: B023
        except PluginFailure as failure:
            if not isinstance(failure.__cause__, (MalformedError, UnsupportedMediaError)):
                message = f"the receiver fails on the body {body!r} ({failure})"
                hint = "read it with `parse_json` and `member`, which raise `MalformedError`"
                yield Finding(rule="receiver", message=message, hint=hint, file=file, line=line)
                break
    sample = receiver.sample
    if sample is not None:
        try:
            call(lambda: receiver.understood(sample(Sample())), SECONDS)
        except PluginFailure as failure:
            message = f"the receiver does not understand its own sample ({failure})"
            hint = "let `sample` make what the sender sends"
            yield Finding(rule="receiver", message=message, hint=hint, file=file, line=line)


def commands(plugin: ModuleType, ctx: Context) -> Iterator[Finding | str]:
    """What is wrong with the commands; or why nobody can know."""
    if hook := getattr(plugin, "ducttape_commands", None):
        yield from _tried("commands", hook, lambda: checked_commands(lambda: asked(hook, ctx)))


def asked(hook: Callable[..., Any], ctx: Context | None) -> Any:
    """What the hook returns; it takes the context or nothing."""
    return hook(ctx) if inspect.signature(hook).parameters else hook()


def others(name: str) -> Offered:
    """The actions of all other installed plugins; of those that fail none."""
    found: Offered = {}
    registry = Registry(SECONDS)
    for other, plugins in installed().items():
        if other != name:
            table = PluginTable(instance=other, plugin=other, data={})
            instance = registry.enable(table, plugins[0])
            offered: Any = registry.call(instance, "ducttape_actions", {})
            if isinstance(offered, Mapping):
                found.update({action: {other: (instance, item)} for action, item in offered.items()})
    return found


def _tried(rule: str, hook: Callable[..., Any], function: Callable[[], Any]) -> Iterator[Finding | str]:
    try:
        call(function, SECONDS)
    except PluginFailure as failure:
        # What a plugin refuses on purpose, with a sentence, it may refuse: the configuration is made up.
        deliberate = isinstance(failure.__cause__, DuctTapeError)
        yield f"the {rule} could not be looked at: {failure}" if deliberate else _finding(rule, hook, failure)


def _finding(rule: str, hook: Callable[..., Any], failure: PluginFailure, hint: str = "") -> Finding:
    place: Place = of_function(hook)
    message, _, more = str(failure).partition("; ")
    made_up = "it was asked with a made-up configuration, as an operator may write it"
    advice = hint or more or (made_up if failure.unexpected else "the server would switch the plugin off")
    return Finding(rule=rule, message=message, hint=advice, file=place[0], line=place[1])
