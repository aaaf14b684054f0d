"""Having a plugin looked at in a process of its own, which it may end, break or hold up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from attrs import Factory, define

from duct_tape.lint.finding import Finding
from duct_tape.lint.subject import Subject

SECONDS = 60.0
# On a server that is started again, every second counts; most plugins take a few milliseconds.
SLOW = 0.5
# The first time it may have to be compiled, and the machine may be busy.
AGAIN = 2
# In which stage which rule is broken by whatever ends or holds up the process.
_RULES = {"import": "import-fails", "hook": "import-fails"}


@define
class Trial:
    """What came of it.

    :param called: file and name of every hook that the plugin has.
    :param loaded: the files that its import loads.
    :param seconds: how long the import took; None if it failed.
    """

    findings: list[Finding] = Factory(list)
    notes: list[str] = Factory(list)
    called: set[tuple[str, str]] = Factory(set)
    loaded: set[str] = Factory(set)
    seconds: float | None = None


def tried(entry: metadata.EntryPoint, subject: Subject, limit: float = SECONDS) -> Trial:
    """Look at the plugin behind an entry point.

    :param limit: seconds for the whole of it.
    """
    trial = _tried(entry, subject, limit)
    for _ in range(AGAIN):
        if trial.seconds is None or trial.seconds <= SLOW:
            return trial
        trial.seconds = min(trial.seconds, _tried(entry, subject, limit).seconds or trial.seconds)
    if trial.seconds is not None and trial.seconds > SLOW:
        message = f"importing `{entry.value}` takes {trial.seconds:.1f} seconds, at every start of the server"
        hint = "import what is large where it is used; `python -X importtime` shows what it is"
        trial.findings.append(Finding(rule="import-slow", message=message, hint=hint))
    return trial


def _tried(entry: metadata.EntryPoint, subject: Subject, limit: float) -> Trial:
    with tempfile.TemporaryDirectory(prefix="duct-tape-lint-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        report = folder / "report.jsonl"
        order = {
            "name": entry.name,
            "target": entry.value,
            "report": str(report),
            "path": [str(path) for path in subject.path],
            "folders": [str(place) for place in subject.places.values()],
        }
        ending = run([sys.executable, "-P", "-m", "duct_tape.lint.examiner", json.dumps(order)], folder, limit)
        return _read(report, subject, entry, ending)


def run(command: list[str], folder: Path, limit: float) -> str:
    """Run the command with all its children; how it ended, or an empty string for well.

    :param folder: where it works, and where its output goes.
    """
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            return f"it does not end within {limit:g} seconds"
        finally:
            # Also what it started itself.
            _kill(process.pid)
            process.wait()
    lines = (folder / "output").read_text("utf-8", "replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f"it ends the process (exit code {code}{', ' if last else ''}{last[:200]})" if code else ""


def _kill(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _read(report: Path, subject: Subject, entry: metadata.EntryPoint, ending: str) -> Trial:
    trial, stage, done = Trial(), "import", False
    for words in _lines(report):
        stage, done = words.get("stage", stage), words.get("done", False)
        trial.seconds = words.get("seconds", trial.seconds)
        if "finding" in words:
            finding = Finding(**{**words["finding"], "file": subject.shown(words["finding"]["file"])})
            trial.findings.append(finding)
        if "note" in words:
            trial.notes.append(words["note"])
        trial.loaded |= {subject.shown(file) for file in words.get("loaded", ())}
        if "called" in words:
            file, name = words["called"]
            trial.called.add((subject.shown(file), name))
    if not done:
        doing = "while it is imported" if stage == "import" else f"when it is asked for its {stage}"
        rule = _RULES.get(stage, stage)
        hint = "a plugin may raise `PluginError`, and never end or hold up the server"
        message = f"plugin `{entry.name}`: {ending or 'it ends the process'}, {doing}"
        trial.findings.append(Finding(rule=rule, message=message, hint=hint))
    return trial


def _lines(report: Path) -> list[dict[str, Any]]:
    """The whole lines of the report; the last one may be half."""
    found = []
    for line in report.read_text("utf-8").splitlines() if report.exists() else ():
        try:
            found.append(json.loads(line))
        except ValueError:
            break
    return found
