"""Everything that is known of a plugin's distribution, put together."""

from __future__ import annotations

from collections.abc import Collection

from attrs import frozen

from duct_tape.lint.about import about
from duct_tape.lint.contents import contents
from duct_tape.lint.entries import entries
from duct_tape.lint.finding import Finding
from duct_tape.lint.source import elsewhere, modules, undeclared
from duct_tape.lint.subject import Subject
from duct_tape.lint.trial import tried


@frozen(kw_only=True)
class Report:
    """What is wrong, and what could not be looked at.

    :param plugins: the names of the distribution's plugins.
    """

    distribution: str
    version: str
    plugins: tuple[str, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]


def reported(subject: Subject, ignored: Collection[str] = ()) -> Report:
    """Look at everything.

    :param ignored: rules that do not count.
    """
    read = list(modules(subject))
    trials = [tried(entry, subject) for entry in subject.entries]
    found = [finding for module in read for finding in module.findings]
    found += [finding for trial in trials for finding in trial.findings]
    loaded = {file for trial in trials for file in trial.loaded}
    found += [finding for module in read for finding in undeclared(module, subject, always=module.file in loaded)]
    if trials and all(trial.seconds is not None for trial in trials):
        found += elsewhere(read, {place for trial in trials for place in trial.called})
    found += [*entries(subject), *about(subject), *contents(subject)]
    notes = [note for trial in trials for note in trial.notes]
    if subject.broken:
        found.append(Finding(rule="wheel-build", message=subject.missing, hint="`python -m build` says more"))
    elif subject.missing:
        notes.append(f"{subject.missing}; lint the wheel too: `duct-tape lint dist/….whl`")
    return Report(
        distribution=subject.name,
        version=subject.version,
        plugins=tuple(entry.name for entry in subject.entries),
        findings=tuple(sorted(_once(found, ignored), key=_order)),
        notes=tuple(notes),
    )


def _once(found: list[Finding], ignored: Collection[str]) -> list[Finding]:
    """Each finding once: two entry points may lead to the same class, and a file is read and imported."""
    kept: dict[tuple[str, str, int, str], Finding] = {}
    for finding in found:
        message = "" if finding.rule == "syntax" else finding.message
        if finding.rule not in ignored:
            kept.setdefault((finding.rule, finding.file, finding.line, message), finding)
    return list(kept.values())


def _order(finding: Finding) -> tuple[bool, str, int, str]:
    return not finding.file, finding.file, finding.line, finding.rule
