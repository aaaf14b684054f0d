"""What a plugin's wheel lacks, and what it should not hold."""

from __future__ import annotations

from collections.abc import Iterator

from duct_tape.lint.finding import Finding
from duct_tape.lint.subject import Subject

# Names that many projects use for themselves: the last one that is installed wins.
_EVERYBODYS = frozenset({"tests", "test", "docs", "examples", "scripts", "src", "conf", "core", "plugins", "plugin"})
# The mark of PEP 561, which has a rule of its own.
_TYPED = "py.typed"


def contents(subject: Subject) -> Iterator[Finding]:
    """Everything that is wrong with the files of the wheel."""
    for top in sorted(subject.places):
        if top in _EVERYBODYS:
            message = f"it installs a package called `{top}`, as others do"
            yield Finding(rule="wheel-names", message=message, hint="name the packages of the wheel one by one")
    if subject.files is None:
        return
    for top in sorted(subject.places):
        # The folder of a namespace is no package, and cannot hold the mark.
        if f"{top}/__init__.py" in subject.files and f"{top}/{_TYPED}" not in subject.files:
            yield untyped(subject, top)
    for path, file in subject.sources():
        if path not in subject.files and not path.endswith(_TYPED):
            message = f"the wheel does not hold `{path}`, so no user has it"
            hint = "name it under `[tool.setuptools.package-data]`, or as your build tool wants it"
            yield Finding(rule="wheel-files", message=message, hint=hint, file=subject.shown(file))


def untyped(subject: Subject, top: str) -> Finding:
    """The finding of a package without its mark; it says whether the file or its entry is missing."""
    there = (subject.places[top] / _TYPED).is_file()
    hint = "name it under `[tool.setuptools.package-data]`" if there else "put an empty file there"
    message = f"the wheel does not hold `{top}/{_TYPED}`: type checkers of its users see no types"
    return Finding(rule="wheel-typed", message=message, hint=hint, file=subject.shown(subject.places[top]))
