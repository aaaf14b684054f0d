"""From what an author types to what is looked at: a folder, a wheel, or the name of something installed."""

from __future__ import annotations

import importlib.util
import json
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote

from duct_tape.conf.structure import suggestion
from duct_tape.errors import DuctTapeError
from duct_tape.lint.building import Unbuilt, built
from duct_tape.lint.subject import Subject, module_of, name_of, normalised
from duct_tape.plugins.discovery import GROUP

PROJECT_FILES = ("pyproject.toml", "setup.cfg", "setup.py")


class TargetError(DuctTapeError):
    """There is nothing of that name to look at."""


@contextmanager
def opened(target: str) -> Iterator[Subject]:
    """The distribution that the author means.

    :param target: a folder in or of a project, a wheel, or the name of an installed distribution, plugin or module.
    :raises TargetError: it is none of these.
    """
    path = Path(target)
    with tempfile.TemporaryDirectory(prefix="duct-tape-lint-") as name:
        folder = Path(name).resolve()
        if path.is_file() and path.suffix == ".whl":
            yield from_wheel(path, folder)
        elif path.exists() and (project := project_of(path)):
            yield from_project(project, folder)
        elif (distribution := named(target)) is None:
            raise TargetError(_unknown(target))
        elif project := editable(distribution):
            yield from_project(project, folder)
        else:
            yield installed(distribution)


def project_of(path: Path) -> Path | None:
    """The nearest folder, from the path upwards, that holds a project."""
    for folder in (path.resolve(), *path.resolve().parents):
        if any((folder / name).is_file() for name in PROJECT_FILES):
            return folder
    return None


def from_wheel(wheel: Path, folder: Path) -> Subject:
    """The distribution in a wheel.

    :param folder: where it is unpacked.
    :raises TargetError: it is not a wheel.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
            files = tuple(name for name in archive.namelist() if not name.endswith("/"))
    except (zipfile.BadZipFile, OSError) as error:
        raise TargetError(f"{wheel} cannot be read as a wheel: {error}") from None
    infos = [path for path in folder.glob("*.dist-info") if (path / "METADATA").is_file()]
    if len(infos) != 1:
        raise TargetError(f"{wheel} is no wheel: it holds no metadata")
    places = {name: folder / place for name, place in tops(files).items()}
    subject = Subject(distribution=metadata.Distribution.at(infos[0]), places=places, files=files, path=(folder,))
    try:
        # Metadata is read when it is asked for.
        subject.value("Name"), subject.entries
    except ValueError as error:
        raise TargetError(f"the metadata of {wheel} cannot be read: {error}") from None
    return subject


def from_project(project: Path, folder: Path) -> Subject:
    """The distribution that a project's folder makes: by the wheel that it builds, or else as it is installed.

    :param folder: an empty one, to work in.
    :raises TargetError: it is not installed, and what would build its wheel is not installed either.
    :raises DuctTapeError: it is not installed, and its wheel cannot be built at all.
    """
    result = built(project, folder)
    if not isinstance(result, Unbuilt):
        wheel = from_wheel(result, folder / "wheel")
        # Looked at where the author edits, so that every line number is right.
        places = {name: _within(project, name) or place for name, place in wheel.places.items()}
        path = tuple(dict.fromkeys(place.parent for place in places.values()))
        return Subject(distribution=wheel.distribution, places=places, files=wheel.files, path=path)
    for distribution in metadata.distributions():
        if editable(distribution) == project:
            places = _places(distribution)
            missing, broken = result.sentence, result.broken
            return Subject(distribution=distribution, places=places, files=None, missing=missing, broken=broken)
    if result.broken:
        raise DuctTapeError(result.sentence)
    raise TargetError(f"{result.sentence}. Or install the project, and try again: `pip install -e {project}`")


def installed(distribution: metadata.Distribution) -> Subject:
    """An installed distribution, by the files that its installation has put there."""
    files = tuple(str(file) for file in distribution.files or ())
    if any(file.endswith(".py") for file in files):
        return Subject(distribution=distribution, places=_places(distribution), files=files)
    missing = f"what is in the wheel of {name_of(distribution)} is not known: its files are elsewhere"
    return Subject(distribution=distribution, places=_places(distribution), files=None, missing=missing)


def tops(files: tuple[str, ...]) -> dict[str, str]:
    """The top-level modules among a wheel's files: each with its folder or file."""
    found = {}
    for file in files:
        top, _, inner = file.partition("/")
        if inner and file.endswith((".py", "py.typed")) and "." not in top:
            found[top] = top
        elif not inner and file.endswith(".py"):
            found[file.removesuffix(".py")] = file
    return found


def named(name: str) -> metadata.Distribution | None:
    """The installed distribution of that name, or with a plugin or a module of that name."""
    for distribution in metadata.distributions():
        if normalised(name_of(distribution)) == normalised(name):
            return distribution
    for entry in metadata.entry_points(group=GROUP):
        if entry.dist and name in (entry.name, module_of(entry), module_of(entry).partition(".")[0]):
            return entry.dist
    return None


def editable(distribution: metadata.Distribution) -> Path | None:
    """The project of an editable installation (PEP 610)."""
    try:
        origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    except ValueError:
        return None
    url = origin.get("url", "")
    if not (url.startswith("file://") and origin.get("dir_info", {}).get("editable")):
        return None
    project = Path(unquote(url.removeprefix("file://"))).resolve()
    return project if project_of(project) == project else None


def _unknown(target: str) -> str:
    if Path(target).exists():
        return f"{target} is no project: neither there nor above it is a {' or '.join(PROJECT_FILES)}"
    entries = metadata.entry_points(group=GROUP)
    known = sorted({entry.name for entry in entries} | {name_of(entry.dist) for entry in entries if entry.dist})
    hint = suggestion(target, known) or f"; there are: {', '.join(known) or 'none'}"
    return f"there is no folder, wheel, plugin, distribution or module `{target}`{hint}"


def _places(distribution: metadata.Distribution) -> dict[str, Path]:
    names = {module_of(entry).partition(".")[0] for entry in distribution.entry_points.select(group=GROUP)}
    names |= set((distribution.read_text("top_level.txt") or "").split())
    names |= tops(tuple(str(file) for file in distribution.files or ())).keys()
    specs = {name: importlib.util.find_spec(name) for name in sorted(names)}
    places = {}
    for name, spec in specs.items():
        if spec and spec.origin:
            origin = Path(spec.origin).resolve()
            places[name] = origin.parent if spec.submodule_search_locations else origin
    return places


def _within(project: Path, name: str) -> Path | None:
    """Where a project keeps a module: at its top, in ``src``, or in another folder one level below."""
    folders = [project, project / "src", *sorted(path for path in project.iterdir() if path.is_dir())]
    for folder in (folder for folder in folders if not folder.name.startswith((".", "build", "dist"))):
        for place, mark in ((folder / name, folder / name / "__init__.py"), (folder / f"{name}.py",) * 2):
            if mark.is_file():
                return place
    return None
