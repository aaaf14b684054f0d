"""One thing that is wrong with a plugin, and the list of all that can be."""

from __future__ import annotations

from attrs import frozen

# Every rule by name, with what it asks for; the reference page shows this table.
RULES = {
    "syntax": "Every file is Python of this version.",
    "entry-missing": "The distribution has an entry point in the group `duct_tape.plugins`.",
    "entry-target": "The entry point leads to a module, or to an object in one.",
    "entry-name": "Its name can be the name of an instance, and is no command of `duct-tape`.",
    "entry-taken": "No other installed distribution offers a plugin of that name.",
    "import-fails": "The plugin can be imported.",
    "import-slow": "Its import takes less than half a second, beside what the server has imported anyway.",
    "import-output": "Its import prints nothing.",
    "import-private": "Of Duct Tape it imports `duct_tape.api` and `duct_tape.testing` only.",
    "import-undeclared": "What it imports at the top comes with the distribution's dependencies.",
    "print": "It writes to `ctx.log`, not to the server's terminal, and sets no breakpoint.",
    "api-version": "`DUCT_TAPE_API` names an API that this Duct Tape offers.",
    "hook-unknown": "Each function `ducttape_…` has the name of a hook.",
    "hook-undecorated": "Each hook is marked with `@hookimpl`.",
    "hook-elsewhere": "Each hook is in the module of an entry point, or imported into it.",
    "hook-arguments": "A hook takes arguments that its specification offers.",
    "hook-default": "A hook's arguments have no defaults.",
    "hook-async": "A hook is `async` exactly where its specification is.",
    "hook-annotation": "Its annotations agree with the specification.",
    "config-class": "Configuration and settings are attrs classes.",
    "config-frozen": "They are frozen.",
    "config-type": "Each key has a type that the strict reader knows, and none that can be changed.",
    "config-key": "No key has a name that is Duct Tape's own.",
    "config-help": "Each key and each class says what it means.",
    "config-secret": "What is secret by its name is a `Secret`.",
    "setup": "`ducttape_setup` neither ends the server nor holds it up.",
    "actions": "`ducttape_actions` returns actions that can be carried out, under names that nobody else has.",
    "routes": "`ducttape_routes` returns routes that the server can mount.",
    "receiver": "A receiver refuses odd bodies with a `MalformedError`, and understands its own sample.",
    "commands": "`ducttape_commands` returns click commands, each with a name of its own.",
    "wheel-build": "The wheel can be built.",
    "wheel-typed": "Each package holds `py.typed`, so that type checkers read its annotations.",
    "wheel-files": "Every file of the package is in the wheel, templates and data too.",
    "wheel-names": "The wheel installs nothing under a name that belongs to everybody.",
    "metadata-description": "The distribution has a one-line description.",
    "metadata-readme": "It has a long one, for the page of the package index.",
    "metadata-license": "It says under which licence it may be used.",
    "metadata-python": "It says which versions of Python it needs.",
    "metadata-core": "It depends on `duct-tape-core`, from a version on and below the next major one.",
    "metadata-url": "It says where its source and its issues are.",
}


@frozen(kw_only=True)
class Finding:
    """One thing that is wrong.

    :param rule: a key of ``RULES``.
    :param message: what is wrong; together with ``hint`` a sentence.
    :param hint: what to do about it.
    :param file: the file that it is in, if there is one.
    :param line: counted from 1; 0 for the whole file.
    """

    rule: str
    message: str
    hint: str
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}: " if self.line else f"{self.file}: " if self.file else ""
        return f"{where}{self.message}; {self.hint}  [{self.rule}]"
