"""What the metadata of a plugin's distribution lacks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from duct_tape import __version__
from duct_tape.lint.finding import Finding
from duct_tape.lint.source import CORE
from duct_tape.lint.subject import Subject

_BOUND = re.compile(r"(<=?|>=?|==|~=|===)\s*([0-9][^\s,)]*)")


def about(subject: Subject) -> Iterator[Finding]:
    """Everything that is wrong with the metadata."""
    if not subject.value("Summary"):
        yield _finding(
            "description", "it has no description", 'add `description = "…"`: one line for the package index'
        )
    if not subject.value("Description"):
        yield _finding("readme", "it has no long description", 'add `readme = "README.md"`')
    if not licensed(subject):
        yield _finding("license", "it names no licence, so nobody may use it", 'add `license = "MIT"`, or another')
    if not subject.value("Requires-Python"):
        yield _finding("python", "it does not say which Python it needs", 'add `requires-python = ">=3.11"`')
    if not (subject.values("Project-URL") or subject.values("Home-page")):
        yield _finding("url", "it does not say where its source and its issues are", "add `[project.urls]`")
    if problem := core_problem(subject.needed().get(CORE)):
        major = int(__version__.partition(".")[0])
        yield _finding("core", problem, f'write "{CORE}>={major}.0,<{major + 1}" among the dependencies')


def licensed(subject: Subject) -> bool:
    """Whether a licence is named, in any of the three ways in which that has been done."""
    classifiers = subject.values("Classifier")
    return bool(
        subject.value("License-Expression")
        or subject.value("License")
        or any(classifier.startswith("License ::") for classifier in classifiers)
    )


def core_problem(specifier: str | None) -> str:
    """What is wrong with the requirement of the core, or an empty string.

    :param specifier: what stands behind the name; None where there is no such requirement.
    """
    if specifier is None:
        return f"it does not depend on {CORE}"
    bounds = {operator for operator, _ in _BOUND.findall(specifier)}
    # ~= and == are both bounds in one.
    if not bounds & {">", ">=", "~=", "==", "==="}:
        return f"it takes every old version of {CORE}"
    if not bounds & {"<", "<=", "~=", "==", "==="}:
        return f"it takes every future version of {CORE}, and the next major one may take names away"
    return ""


def _finding(rule: str, message: str, hint: str) -> Finding:
    return Finding(rule=f"metadata-{rule}", message=message, hint=hint)
