"""The distribution that is looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

from attrs import frozen

from duct_tape.plugins.discovery import GROUP

# Left behind by tools; never part of a package.
_NEVER = frozenset({"__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"})
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@frozen(kw_only=True, eq=False)
class Subject:
    """A distribution with the code of its plugins.

    :param distribution: its metadata.
    :param places: where each of its top-level modules is: a package's folder or a module's file.
    :param files: the paths in its wheel; None where they are not known.
    :param path: what has to stand first on ``sys.path`` to import exactly this code.
    :param missing: what could not be looked at, and why.
    :param broken: whether that is the project's own fault.
    """

    distribution: metadata.Distribution
    places: Mapping[str, Path]
    files: tuple[str, ...] | None
    path: tuple[Path, ...] = ()
    missing: str = ""
    broken: bool = False

    @property
    def name(self) -> str:
        return self.value("Name") or "?"

    @property
    def version(self) -> str:
        return self.value("Version") or "?"

    @property
    def entries(self) -> tuple[metadata.EntryPoint, ...]:
        """The entry points of its plugins, by name."""
        found = self.distribution.entry_points.select(group=GROUP)
        return tuple(sorted(found, key=lambda entry: entry.name))

    def value(self, key: str) -> str:
        """A key of the metadata, or an empty string."""
        values = self.values(key)
        return values[0] if values else ""

    def values(self, key: str) -> tuple[str, ...]:
        """Every value of a key of the metadata; "UNKNOWN" is how old tools write none."""
        found = self.distribution.metadata.get_all(key) or []
        return tuple(str(value).strip() for value in found if str(value).strip() not in ("", "UNKNOWN"))

    def needed(self, *, extras: bool = False) -> dict[str, str]:
        """What it needs: the rest of each requirement by normalised name.

        :param extras: also what only an extra asks for.
        """
        found = {}
        for text in self.distribution.requires or ():
            requirement, _, marker = text.partition(";")
            name = _NAME.match(requirement.strip())
            if name and (extras or not re.search(r"\bextra\b", marker)):
                found[normalised(name[0])] = requirement.strip()[name.end() :].strip()
        return found

    def sources(self) -> Iterator[tuple[str, Path]]:
        """Every file of its packages: the path that it has in a wheel, and where it is."""
        for top, place in sorted(self.places.items()):
            if place.is_file():
                yield place.name, place
            for file in sorted(place.rglob("*")):
                inner = file.relative_to(place)
                hidden = any(part in _NEVER or part.startswith(".") for part in inner.parts)
                if file.is_file() and not hidden and file.suffix not in (".pyc", ".pyo"):
                    yield f"{top}/{inner.as_posix()}", file

    def shown(self, file: str | Path) -> str:
        """The path as people see it: from the working directory, or from where the packages are."""
        for base in (Path.cwd(), *(place.parent for place in self.places.values())):
            if Path(file).is_relative_to(base):
                return str(Path(file).relative_to(base))
        return str(file)


def module_of(entry: metadata.EntryPoint) -> str:
    """The module that an entry point leads to, whatever else its right side holds."""
    return entry.value.partition(":")[0].partition("[")[0].strip()


def name_of(distribution: metadata.Distribution) -> str:
    """The distribution's name; what an uninstallation left behind has none."""
    return str((distribution.metadata.get_all("Name") or ["?"])[0])


def normalised(name: str) -> str:
    """A distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()
