"""What plugins may still use, and will have to do without: hooks, arguments of hooks, names of the API.

What is to go is entered here, and keeps working until the version that is named. pluggy can warn of hooks too. But
a warning of Python's knows no instance, and nobody can collect it in a thread.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import frozen


@frozen(kw_only=True)
class Deprecation:
    """One thing that goes.

    :param instead: what to use, such as "`ducttape_doctor`".
    :param gone_in: the version of duct-tape-core without it.
    :param value: of a name: what it stands for until then.
    """

    instead: str
    gone_in: str
    value: Any = None

    def sentence(self, what: str) -> str:
        """What a plugin's author has to know."""
        return f"{what}, which goes in {self.gone_in}: use {self.instead}"


# Names that are in `duct_tape.api` no longer, and can be imported from it all the same.
NAMES: dict[str, Deprecation] = {}
HOOKS: dict[str, Deprecation] = {}
# By hook and argument.
ARGUMENTS: dict[tuple[str, str], Deprecation] = {}

# Which names were imported, by the importing package. A module is imported once in a process, so they are kept.
_imported: dict[str, dict[str, Deprecation]] = {}


def deprecated_name(name: str, importer: str) -> Any:
    """What a deprecated name of the API stands for; remembers who uses it.

    :param importer: the module that imports it.
    :raises AttributeError: there is no such name.
    """
    if name not in NAMES:
        raise AttributeError(f"module 'duct_tape.api' has no attribute {name!r}")
    found = NAMES[name]
    _imported.setdefault(_package(importer), {})[name] = found
    # Two frames above is whoever imports it. A test that makes errors of warnings tells the author first.
    warnings.warn(found.sentence(f"`{name}` of duct_tape.api is deprecated"), DeprecationWarning, stacklevel=3)
    return found.value


def uses(target: str, hooks: Mapping[str, Iterable[str]]) -> Iterator[str]:
    """A sentence for each deprecated thing that a plugin uses, as far as it has been imported.

    :param target: the plugin's module, or that and an object in it, as in its entry point.
    :param hooks: the hooks that it implements, with the arguments that it takes.
    """
    for hook, arguments in hooks.items():
        if hook in HOOKS:
            yield HOOKS[hook].sentence(f"the hook `{hook}`")
        for argument in arguments:
            if (hook, argument) in ARGUMENTS:
                yield ARGUMENTS[hook, argument].sentence(f"the argument `{argument}` of `{hook}`")
    for name, deprecation in _imported.get(_package(target), {}).items():
        yield deprecation.sentence(f"`{name}` of duct_tape.api")


def _package(target: str) -> str:
    return target.partition(":")[0].partition(".")[0]
