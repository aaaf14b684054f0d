"""Plugins to look at: a good one on disk, and what a test makes worse about it."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from types import ModuleType

from duct_tape.lint.subject import Subject

GOOD = '''\
"""Deploys what the build server has built."""

from collections.abc import Iterable

from attrs import frozen
from starlette.routing import Route

from duct_tape.api import Context, Secret, hookimpl, option

DUCT_TAPE_API = (1, 0)


@frozen(kw_only=True)
class HelloConf:
    """The hello."""

    secrets: tuple[Secret, ...] = option("What signs it.")


@hookimpl
def ducttape_config_class() -> type:
    return HelloConf


@hookimpl
def ducttape_routes(ctx: Context) -> Iterable[Route]:
    return [Route("/", print, methods=["POST"])] if ctx.config.secrets else []
'''

METADATA = """\
Metadata-Version: 2.4
Name: duct-tape-hello
Version: 1.0.0
Summary: Says hello
License-Expression: MIT
Requires-Python: >=3.11
Requires-Dist: duct-tape-core<2,>=1.0
Project-URL: Source, https://example.com

A plugin.
"""

_NUMBERS = itertools.count()


def subject(
    folder: Path,
    source: str | Mapping[str, str] = GOOD,
    *,
    about: str = METADATA,
    entries: str = "hello = duct_tape_hello",
    without: tuple[str, ...] = (),
) -> Subject:
    """A distribution with one package, `duct_tape_hello`, as a wheel would bring it.

    :param source: of its `__init__.py`, or every file by its name.
    :param without: files that are not in the wheel.
    """
    files = {"__init__.py": source} if isinstance(source, str) else dict(source)
    place = folder / "duct_tape_hello"
    for name, text in {"py.typed": "", **files}.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text, "utf-8")
    info = folder / "duct_tape_hello-1.0.0.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text(about)
    (info / "entry_points.txt").write_text(f"[duct_tape.plugins]\n{entries}\n" if entries else "")
    made = tuple(f"duct_tape_hello/{name}" for name in ("py.typed", *files) if name not in without)
    distribution = metadata.Distribution.at(info)
    return Subject(distribution=distribution, places={"duct_tape_hello": place}, files=made, path=(folder,))


def module(folder: Path, source: str) -> ModuleType:
    """A module that is imported from a file; under that name it stays, as modules do."""
    path = folder / f"linted_{next(_NUMBERS)}.py"
    path.write_text(source, "utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = made
    spec.loader.exec_module(made)
    return made
