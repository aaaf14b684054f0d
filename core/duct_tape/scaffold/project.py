"""The files of a new project."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from attrs import frozen
from jinja2 import Environment, StrictUndefined

from duct_tape import __version__
from duct_tape.errors import DuctTapeError
from duct_tape.scaffold.names import Names

# What each kind of plugin does, in the words of its description.
KINDS = {
    "integration": "Receives webhooks from {name} for Duct Tape",
    "action": "An action for the triggers of Duct Tape",
    "observer": "Watches the runs of Duct Tape",
}
# Where each file goes, and from which template it is made. Those of a kind begin with its name.
COMMON = {
    ".github/workflows/ci.yml": "ci.yml",
    ".gitignore": "gitignore",
    "CHANGELOG.md": "changelog.md",
    "LICENSE": "license",
    "README.md": "readme.md",
    "pyproject.toml": "pyproject.toml",
    "setup.cfg": "setup.cfg",
    "{package}/__init__.py": "init.py",
    "{package}/py.typed": "",
}
OWN = {
    "conf/duct_tape.toml": "conf.toml",
    "tests/test_plugin.py": "test.py",
    "{package}/conf.py": "conf.py",
    "{package}/plugin.py": "plugin.py",
}


@frozen(kw_only=True)
class Project:
    """A project that is not written yet.

    :param kind: a key of ``KINDS``.
    :param url: where its source will be.
    :param year: of the licence.
    """

    names: Names
    kind: str
    author: str
    url: str
    year: int

    @property
    def description(self) -> str:
        return KINDS[self.kind].format(name=self.names.plugin)

    def files(self) -> dict[str, str]:
        """Every file: its text by its path."""
        templates = {**COMMON, **{path: f"{self.kind}.{name}" for path, name in OWN.items()}}
        blanks = self._blanks()
        made = {path.format(package=self.names.package): _rendered(name, blanks) for path, name in templates.items()}
        return dict(sorted(made.items()))

    def write(self, parent: Path) -> Path:
        """Write all files into a new folder, or nothing at all.

        :raises DuctTapeError: something of that name is there already, or it cannot be written.
        """
        folder = parent / self.names.distribution
        try:
            folder.mkdir()
        except FileExistsError:
            raise DuctTapeError(f"{folder} is there already; choose another name, or move it away") from None
        except OSError as error:
            raise DuctTapeError(f"{folder} cannot be made: {error.strerror}") from None
        try:
            for path, text in self.files().items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_text(text, "utf-8")
        except OSError as error:
            # Half a project would pass for a whole one.
            shutil.rmtree(folder, ignore_errors=True)
            raise DuctTapeError(f"{folder} cannot be written: {error.strerror}") from None
        return folder

    def _blanks(self) -> Mapping[str, object]:
        major, minor = __version__.split(".")[:2]
        return {
            "name": self.names.plugin,
            "names": self.names,
            "kind": self.kind,
            "author": self.author,
            "url": self.url,
            "year": self.year,
            "description": self.description,
            "core": f"duct-tape-core>={major}.{minor},<{int(major) + 1}",
        }


def _rendered(name: str, blanks: Mapping[str, object]) -> str:
    if not name:
        return ""
    environment = Environment(  # noqa: S701 - no HTML
        variable_start_string="«", variable_end_string="»", block_start_string="«%", block_end_string="%»",
        comment_start_string="«#", comment_end_string="#»", undefined=StrictUndefined, keep_trailing_newline=True,
    )  # fmt: skip
    return environment.from_string(files(__package__).joinpath(f"{name}.jinja").read_text("utf-8")).render(blanks)
