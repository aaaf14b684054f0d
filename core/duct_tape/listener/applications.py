"""The applications: the only things on the host that a flag can start."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection
from pathlib import Path

from attrs import frozen

from duct_tape.volume import name_problem

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@frozen
class Applications:
    """The folder that holds one folder per application, each with ``bin/deploy``."""

    path: Path

    def folder(self, name: str) -> Path:
        return self.path / name

    def script(self, name: str) -> Path:
        return self.path / name / "bin" / "deploy"

    def names(self) -> frozenset[str]:
        """All names that an application can have, whether it can be deployed or not.

        :raises OSError: the applications folder itself cannot be read at the moment.
        """
        return frozenset(name for name in os.listdir(self.path) if name_problem(name) is None)

    def problem(self, name: str, names: Collection[str] | None = None) -> str | None:
        """Why ``name`` cannot be deployed, or None when it can.

        :param names: what ``names`` gave a moment ago, for whoever asks about many.
        :raises OSError: the applications folder itself cannot be read at the moment.
        """
        if problem := name_problem(name):
            return f"it is no application's name: {problem}"
        # The listing, not a look-up: where capitals make no difference, `APP` must not become a second `app`.
        if name not in (os.listdir(self.path) if names is None else names):
            return f"no application has this name in {self.path}"
        return self._script_problem(name)

    def deployable(self) -> list[str]:
        """The names of all applications that can be deployed, sorted."""
        return sorted(name for name in self.names() if self._script_problem(name) is None)

    def _script_problem(self, name: str) -> str | None:
        try:
            folder = os.open(self.folder(name), _FOLDER)
        except OSError:
            return f"{self.folder(name)} is not a folder that can be entered (links are not followed)"
        try:
            return _deploy_problem(folder)
        finally:
            os.close(folder)


def _deploy_problem(application: int) -> str | None:
    try:
        folder = os.open("bin", _FOLDER, dir_fd=application)
    except OSError:
        return "it has no folder bin (links are not followed)"
    try:
        mode = os.lstat("deploy", dir_fd=folder).st_mode
        if not stat.S_ISREG(mode):
            return "its bin/deploy is not a regular file (links are not followed)"
        return None if os.access("deploy", os.X_OK, dir_fd=folder) else "its bin/deploy is not executable"
    except OSError:
        return "it has no bin/deploy"
    finally:
        os.close(folder)
