"""Reading and merging the configuration's files, remembering which file holds which key."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import Factory, define

from duct_tape.errors import ConfigurationError, Problem

DEFAULT_PATH = Path("conf/duct_tape.toml")

KeyPath = tuple[str | int, ...]
_ENVIRONMENT = re.compile(r"[A-Za-z0-9._-]{1,100}")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_PART = re.compile(r'\.?(?:(?P<bare>[A-Za-z0-9_-]+)|(?P<quoted>"(?:[^"\\]|\\.)*")|\[(?P<index>[0-9]{1,9})\])')


@define
class Sources:
    """The merged files.

    :param data: the merged document.
    :param path: the main file.
    """

    path: Path
    data: dict[str, Any] = Factory(dict)
    problems: list[Problem] = Factory(list)
    _files: dict[KeyPath, str] = Factory(dict)

    def file(self, path: KeyPath) -> str:
        """The file that holds a key, or the nearest key above it."""
        for end in range(len(path), 0, -1):
            if path[:end] in self._files:
                return self._files[path[:end]]
        return str(self.path)

    def problem(self, message: str, path: KeyPath = (), hint: str = "") -> Problem:
        """A problem at a key, with the file filled in."""
        return Problem(message=message, path=dotted(path), file=self.file(path), hint=hint)

    def add(self, file: Path, *, replace: bool = False) -> None:
        """Merge one file in; unless ``replace``, a key that is there already is a problem."""
        try:
            self._merge(self.data, tomllib.loads(file.read_bytes().decode("utf-8")), (), str(file), replace)
        except FileNotFoundError:
            self.problems.append(_missing_overlay(file) if replace else _missing(file))
        except OSError as error:
            self.problems.append(_unreadable(file, error))
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            self.problems.append(Problem(message=f"the file is not UTF-8 (at line {line})", file=str(file)))
        except tomllib.TOMLDecodeError as error:
            self.problems.append(Problem(message=f"the file is not TOML: {error}", file=str(file)))
        except RecursionError:
            self.problems.append(Problem(message="the file is nested too deep", file=str(file)))
        except ValueError:
            # Python reads no number of more than 4,300 digits.
            self.problems.append(Problem(message="the file holds a number that is too long", file=str(file)))

    def _merge(self, into: dict[str, Any], data: Mapping[str, Any], path: KeyPath, file: str, replace: bool) -> None:
        for key, value in data.items():
            here = (*path, key)
            old = into.get(key)
            if isinstance(value, dict) and (old is None or isinstance(old, dict)) and not _is_one_value(value):
                self._files.setdefault(here, file)
                self._merge(into.setdefault(key, {}), value, here, file, replace)
            elif key in into and not replace:
                first = self.file(here)
                self.problems.append(
                    Problem(message=f"{dotted(here)} is set twice, in {first} and in {file}", hint="keep one")
                )
            else:
                into[key] = value
                self._files[here] = file


def read(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Sources:
    """Read the main file, its drop-ins and the overlay.

    The files are ``conf/duct_tape.toml`` (or ``path``, or ``$DUCT_TAPE_CONFIG``), ``conf.d/*.toml`` beside
    it in the order of their names, and ``duct_tape.<env>.toml`` when ``$DUCT_TAPE_ENV`` is set, whose
    values replace those of the others.

    :raises ConfigurationError: there is no main file.
    """
    main = path or Path(environ.get("DUCT_TAPE_CONFIG") or DEFAULT_PATH)
    if os.path.isdir(main):
        main = main / DEFAULT_PATH.name
    try:
        main.stat()
    except FileNotFoundError:
        raise ConfigurationError([_missing(main)]) from None
    except OSError as error:
        raise ConfigurationError([_unreadable(main, error)]) from None
    sources = Sources(main)
    sources.add(main)
    for drop_in in _drop_ins(main.parent / "conf.d", sources.problems):
        sources.add(drop_in)
    if environment := environ.get("DUCT_TAPE_ENV"):
        if _ENVIRONMENT.fullmatch(environment):
            sources.add(main.with_name(f"{main.stem}.{environment}.toml"), replace=True)
        else:
            message = f"DUCT_TAPE_ENV is {environment[:80]!r}, which cannot be part of a file's name"
            sources.problems.append(Problem(message=message, hint="use letters, digits, dots and dashes"))
    return sources


def dotted(path: KeyPath) -> str:
    """A key path as TOML spells it: ``plugins.github.repositories."a/b".tags[0]``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            quoted = part if _BARE.fullmatch(part) else json.dumps(part, ensure_ascii=False)
            text += f".{quoted}" if text else quoted
    return text


def undotted(text: str) -> KeyPath:
    """The key path that ``dotted`` spells so; what follows a mistake in the spelling is left out."""
    path: list[str | int] = []
    position = 0
    while found := _PART.match(text, position):
        try:
            part: str | int = json.loads(found["quoted"]) if found["quoted"] else found["bare"] or int(found["index"])
        except ValueError:
            break
        path.append(part)
        position = found.end()
    return tuple(path)


def _is_one_value(table: dict[str, Any]) -> bool:
    # A reference to a secret is replaced as a whole: half of one and half of another is none.
    return len(table) == 1 and all(key in ("env", "file") and isinstance(table[key], str) for key in table)


def _drop_ins(folder: Path, problems: list[Problem]) -> list[Path]:
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return []
    except OSError as error:
        problems.append(Problem(message=f"the folder cannot be read: {error.strerror}", file=str(folder)))
        return []
    # Hidden files are those of editors.
    return [folder / name for name in names if name.endswith(".toml") and not name.startswith(".")]


def _unreadable(file: Path, error: OSError) -> Problem:
    return Problem(message=f"the file cannot be read: {error.strerror}", file=str(file))


def _missing_overlay(file: Path) -> Problem:
    return Problem(
        message=f"DUCT_TAPE_ENV is set, but there is no file {file}", hint="write it, or unset DUCT_TAPE_ENV"
    )


def _missing(file: Path) -> Problem:
    return Problem(
        message=f"there is no configuration file {file}",
        hint="`duct-tape init` writes one; --config or DUCT_TAPE_CONFIG point elsewhere",
    )
