"""Imports one plugin and looks at it, in a process of its own.

``python -m duct_tape.lint.examiner ORDER``, where the order is JSON: ``name`` and ``target`` of the entry point, the
``folders`` that hold the plugin's code, the ``path`` that comes first on ``sys.path``, and the file ``report``. What is
found is written there line by line, so that it is known also when the plugin ends the process.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import re
import sys
import time
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, TextIO

import attrs

from duct_tape.lint.finding import Finding
from duct_tape.lint.places import NOWHERE, Place, of_function, of_traceback, of_variable

_TARGET = re.compile(r"[\w.]+\s*(:\s*[\w.]+)?\s*(\[.*\])?\s*")
# What the server has imported before it imports a plugin.
SERVER = ("duct_tape.api", "duct_tape.assembly", "duct_tape.web.app", "duct_tape.web.serve")


class Examiner:
    """Looks at one plugin.

    :param folders: where the plugin's code is.
    """

    def __init__(self, report: TextIO, name: str, target: str, folders: tuple[str, ...]) -> None:
        self._report = report
        self._name = name
        self._target = target
        self._folders = folders

    def examine(self) -> None:
        """Everything, stage by stage."""
        self._say(stage="import")
        plugin = self._load()
        if plugin is not None:
            self._say(stage="hook")
            self._hooks(plugin)
        self._say(done=True)

    def _load(self) -> Any:
        for module in SERVER:
            importlib.import_module(module)
        sys.stdout.flush()
        said, began = os.fstat(1).st_size, time.perf_counter()
        try:
            plugin = metadata.EntryPoint(self._name, self._target, "").load()
        except BaseException as error:
            self._failed(error)
            return None
        self._say(seconds=time.perf_counter() - began, loaded=self._loaded())
        sys.stdout.flush()
        if os.fstat(1).st_size > said:
            file, line = of_variable(plugin, "")
            self._find("import-output", "importing it prints something", "take it out", (file, line))
        return plugin

    def _loaded(self) -> list[str]:
        """The files of the plugin's own that are imported by now."""
        files = [getattr(module, "__file__", None) or "" for module in list(sys.modules.values())]
        return [file for file in files if any(Path(file).is_relative_to(folder) for folder in self._folders)]

    def _failed(self, error: BaseException) -> None:
        module, _, attribute = self._target.partition(":")
        text = " ".join(str(error).split())
        place = of_traceback(error.__traceback__, self._folders)
        nowhere = not _TARGET.fullmatch(self._target)
        nowhere |= isinstance(error, ModuleNotFoundError) and f"{module}.".startswith(f"{error.name}.")
        if nowhere or (attribute and isinstance(error, AttributeError) and place == NOWHERE):
            message = f"the entry point `{self._name} = {self._target}` leads nowhere: {text}"
            self._find("entry-target", message, "correct its right side, and install the project again")
        elif isinstance(error, SyntaxError):
            # Where it is was read already, unless another package holds it.
            place = (error.filename or "", error.lineno or 0)
            self._find("syntax", f"this is no Python {sys.version.split()[0]}: {error.msg}", "correct the line", place)
        else:
            hint = (
                "add what it needs to the dependencies"
                if isinstance(error, ImportError)
                else "correct it: a module that fails here fails on every server"
            )
            self._find("import-fails", f"importing it raises {type(error).__name__}: {text[:200]}", hint, place)

    def _hooks(self, plugin: Any) -> None:
        from duct_tape.lint import hooks
        from duct_tape.plugins.isolation import PluginFailure
        from duct_tape.plugins.registry import check_object

        try:
            check_object(plugin)
        except PluginFailure as failure:
            message, _, hint = str(failure).partition("; ")
            self._find("entry-target", message, hint or "let the entry point lead to the module that holds the hooks")
            return
        self._all(hooks.api(plugin))
        for name, function in hooks.named(plugin).items():
            self._all(hooks.hook(name, function))
            if callable(function):
                self._say(called=[of_function(function)[0], name])
        self._offers(hooks.sound(plugin))

    def _offers(self, sound: Any) -> None:
        from duct_tape.lint import offers
        from duct_tape.lint.options import INSTANCE_KEYS, TRIGGER_KEYS, examined

        self._say(stage="config-class")
        cls = self._config_class(sound)
        if cls is not None:
            self._all(examined(cls, "ducttape_config_class", INSTANCE_KEYS))
        self._say(stage="actions")
        actions, found = offers.actions(sound, self._name)
        self._all(found)
        for name, action in actions.items():
            self._all(offers.callables(name, action))
            self._all(examined(action.settings, f"the action `{name}`", TRIGGER_KEYS))
        self._say(stage="setup")
        ctx = offers.context(sound, cls if attrs.has(cls or object) else None, Path.cwd())
        if isinstance(ctx, str):
            text = f"a made-up configuration does not do ({ctx}), so routes and commands were not looked at"
            self._say(note=f"plugin {self._name}: {text}")
            return
        for stage, look in (("routes", offers.routes), ("commands", offers.commands)):
            self._say(stage=stage)
            self._all(look(sound, ctx))

    def _config_class(self, sound: Any) -> Any:
        from duct_tape.plugins.isolation import PluginFailure, call

        hook = getattr(sound, "ducttape_config_class", None)
        try:
            return call(hook) if hook else None
        except PluginFailure as failure:
            place = of_function(sound.ducttape_config_class)
            self._find("config-class", f"ducttape_config_class fails: {failure}", "return the class", place)
            return None

    def _all(self, found: Any) -> None:
        for item in found:
            if isinstance(item, Finding):
                self._say(finding=attrs.asdict(item))
            else:
                self._say(note=f"plugin {self._name}: {item}")

    def _find(self, rule: str, message: str, hint: str, place: Place = NOWHERE) -> None:
        self._all([Finding(rule=rule, message=message, hint=hint, file=place[0], line=place[1])])

    def _say(self, **words: Any) -> None:
        self._report.write(json.dumps(words) + "\n")
        self._report.flush()


def main(order: Mapping[str, Any]) -> None:
    """Look at the plugin that the order names."""
    logging.disable(logging.CRITICAL)
    sys.path[:0] = order["path"]
    with open(order["report"], "w", encoding="utf-8") as file:
        Examiner(file, order["name"], order["target"], tuple(order["folders"])).examine()
    sys.stdout.flush()
    # Whatever threads and exit handlers the plugin has left behind.
    os._exit(0)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
