"""What is wrong with a plugin's hooks, each looked at by itself."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from duct_tape.conf.structure import suggestion
from duct_tape.hookspecs import API_VERSION, HOOKS, NAMESPACE, PREFIX, HookSpecs
from duct_tape.lint.annotations import fits, hints
from duct_tape.lint.finding import Finding
from duct_tape.lint.places import Place, of_function, of_variable
from duct_tape.plugins.isolation import PluginFailure
from duct_tape.plugins.registry import check_api, check_hook


def named(plugin: Any) -> dict[str, Any]:
    """Everything in a plugin that looks like a hook, by name."""
    return {name: getattr(plugin, name) for name in dir(plugin) if name.startswith(PREFIX)}


def api(plugin: Any) -> Iterator[Finding]:
    """What is wrong with ``DUCT_TAPE_API``."""
    try:
        check_api(getattr(plugin, "DUCT_TAPE_API", None))
    except PluginFailure as failure:
        message, _, hint = str(failure).partition("; ")
        file, line = of_variable(plugin, "DUCT_TAPE_API")
        yield Finding(rule="api-version", message=message, hint=hint, file=file, line=line)


def hook(name: str, function: Any) -> Iterator[Finding]:
    """What is wrong with one hook."""
    try:
        check_hook(name, function)
    except PluginFailure as failure:
        yield _refused(name, function, str(failure))
    if name in HOOKS and inspect.isfunction(inspect.unwrap(getattr(function, "__func__", function))):
        yield from _arguments(name, function)
        yield from _annotations(name, function)


def sound(plugin: Any) -> ModuleType:
    """A plugin with those hooks of this one that can be called, whatever else is wrong with it."""
    made = ModuleType("sound")
    vars(made)["DUCT_TAPE_API"] = API_VERSION
    serious = ("hook-unknown", "hook-undecorated", "hook-async", "hook-arguments")
    for name, function in named(plugin).items():
        if not any(finding.rule in serious for finding in hook(name, function)):
            vars(made)[name] = function
    return made


def _refused(name: str, function: Any, text: str) -> Finding:
    file, line = of_function(function) if callable(function) else ("", 0)
    message, _, hint = text.partition("; ")
    if name not in HOOKS:
        rule = "hook-unknown"
    elif not hasattr(function, f"{NAMESPACE}_impl"):
        rule, hint = "hook-undecorated", "write `@hookimpl` above it, from `duct_tape.api`"
    else:
        wanted = inspect.iscoroutinefunction(getattr(HookSpecs, name))
        rule, hint = "hook-async", "write `async def`" if wanted else "write `def`: a coroutine would never be awaited"
    return Finding(rule=rule, message=message, hint=hint, file=file, line=line)


def _arguments(name: str, function: Callable[..., Any]) -> Iterator[Finding]:
    offered = _offered(name)
    file, line = of_function(function)
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            message, hint = f"`{name}` takes `{parameter}`, which stays empty", "take it away"
            yield Finding(rule="hook-arguments", message=message, hint=hint, file=file, line=line)
        elif parameter.name not in offered:
            message = f"`{name}` takes `{parameter.name}`, which is not offered"
            known = f"its arguments are: {', '.join(offered)}" if offered else "it has no arguments"
            hint = suggestion(parameter.name, offered).removeprefix("; ") or known
            yield Finding(rule="hook-arguments", message=message, hint=hint, file=file, line=line)
        elif parameter.default is not parameter.empty:
            message = f"`{parameter.name}` of `{name}` has a default, which is never used"
            yield Finding(rule="hook-default", message=message, hint="take the default away", file=file, line=line)


def _annotations(name: str, function: Callable[..., Any]) -> Iterator[Finding]:
    wanted, place = hints(getattr(HookSpecs, name)), of_function(function)
    for argument, given in hints(function).items():
        if argument == "return":
            # A decorator such as @asynccontextmanager makes something else of what is annotated.
            if not hasattr(function, "__wrapped__") and not fits(given, wanted["return"]):
                message = f"`{name}` returns `{_text(given)}`, where its hook has `{_text(wanted['return'])}`"
                yield _annotation(message, place)
        elif argument in wanted and not fits(wanted[argument], given):
            expected = _text(wanted[argument])
            yield _annotation(f"`{argument}` of `{name}` is annotated `{_text(given)}` and is a `{expected}`", place)


def _annotation(message: str, place: Place) -> Finding:
    hint = "annotate it as docs/reference/hooks.md does"
    return Finding(rule="hook-annotation", message=message, hint=hint, file=place[0], line=place[1])


def _offered(name: str) -> list[str]:
    return [argument for argument in inspect.signature(getattr(HookSpecs, name)).parameters if argument != "self"]


def _text(kind: Any) -> str:
    # Without the modules that the names are from.
    return re.sub(r"\b[a-z_]+\.", "", "None" if kind is type(None) else inspect.formatannotation(kind))
