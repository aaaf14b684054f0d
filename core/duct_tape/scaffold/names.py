"""The name of a new plugin, and all that is made from it."""

from __future__ import annotations

import re
from collections.abc import Collection

from attrs import frozen

PREFIX = "duct-tape-"
# Longer ones break the lines of the generated files.
LONGEST = 30
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@frozen
class Names:
    """What a plugin is called, and where.

    :param plugin: its entry point, its key under ``[plugins]`` and the end of its URL.
    """

    plugin: str

    @property
    def distribution(self) -> str:
        """The project's folder, too."""
        return PREFIX + self.plugin

    @property
    def package(self) -> str:
        return self.distribution.replace("-", "_")

    @property
    def header(self) -> str:
        """What its headers begin with."""
        return "-".join(["X", *(word.capitalize() for word in self.plugin.split("-"))])

    @property
    def variable(self) -> str:
        """What its environment variables begin with."""
        return self.plugin.replace("-", "_").upper()


def named(text: str, taken: Collection[str] = ()) -> Names:
    """The names made from what an author typed; the prefix ``duct-tape-`` may be among it.

    :param taken: names that others have.
    :raises ValueError: a plugin cannot be called so; the text says why.
    """
    name = text.removeprefix(PREFIX)
    if not _NAME.fullmatch(name):
        better = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        hint = f"; how about `{better}`?" if _NAME.fullmatch(better) and len(better) <= LONGEST else ""
        shown = repr(text[:80])
        raise ValueError(f"{shown} cannot be a plugin's name: lower-case letters and digits, dashes between{hint}")
    if len(name) > LONGEST:
        raise ValueError(f"the name has {len(name)} characters, and more than {LONGEST} are too many to type")
    if name in taken:
        raise ValueError(f"`{name}` is the name of a command, or of an installed plugin; choose another")
    return Names(name)
