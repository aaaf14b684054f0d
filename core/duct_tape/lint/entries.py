"""What is wrong with the entry points themselves."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata

from duct_tape.cli import COMMANDS
from duct_tape.conf.load import INSTANCE
from duct_tape.lint.finding import Finding
from duct_tape.lint.subject import Subject, name_of, normalised
from duct_tape.plugins.discovery import GROUP


def entries(subject: Subject) -> Iterator[Finding]:
    """Everything that is wrong with the names; where they lead is found out by following them."""
    if not subject.entries:
        top = next(iter(sorted(subject.places)), "duct_tape_hello")
        message = f"it has no entry point in the group `{GROUP}`, so nobody finds the plugin"
        hint = f'add `[project.entry-points."{GROUP}"]` with `{top.removeprefix("duct_tape_")} = "{top}"`'
        yield Finding(rule="entry-missing", message=message, hint=hint)
    for entry in subject.entries:
        if not INSTANCE.fullmatch(entry.name):
            message = f"`{entry.name}` cannot be a plugin's name, since that becomes part of a URL"
            yield Finding(rule="entry-name", message=message, hint="use lower-case letters, digits and dashes")
        elif entry.name in COMMANDS:
            message = f"`{entry.name}` is a command of `duct-tape`, so the plugin's own could not be called"
            yield Finding(rule="entry-name", message=message, hint="choose another name for the entry point")
        for other in metadata.entry_points(group=GROUP, name=entry.name):
            if other.dist and normalised(name_of(other.dist)) != normalised(subject.name):
                message = (
                    f"{name_of(other.dist)} {other.dist.version} offers a plugin `{entry.name}` too, and both are off"
                )
                yield Finding(rule="entry-taken", message=message, hint="choose another name for the entry point")
