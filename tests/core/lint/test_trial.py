"""Plugins that are imported: none of them reaches further than its own process."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.lint_support import GOOD, subject

from duct_tape.lint import trial
from duct_tape.lint.trial import Trial, tried

HEAD = "from duct_tape.api import *\nDUCT_TAPE_API = (1, 0)\n"


def only(found: Trial) -> tuple[str, str]:
    [finding] = found.findings
    return finding.rule, finding.message


def look(folder: Path, source: str, limit: float = 60.0) -> Trial:
    looked_at = subject(folder, source)
    return tried(looked_at.entries[0], looked_at, limit)


def test_a_good_one_in_a_process_of_its_own(tmp_path: Path) -> None:
    found = look(tmp_path, GOOD)
    assert (found.findings, found.notes) == ([], [])
    file = "duct_tape_hello/__init__.py"
    assert found.called == {(file, "ducttape_config_class"), (file, "ducttape_routes")}
    assert found.loaded == {file}
    assert found.seconds is not None


def test_a_module_that_ends_the_process(tmp_path: Path) -> None:
    rule, message = only(look(tmp_path, "import os\nos._exit(3)"))
    assert rule == "import-fails"
    assert message == "plugin `hello`: it ends the process (exit code 3), while it is imported"


def test_a_module_that_ends_the_process_as_if_all_were_well(tmp_path: Path) -> None:
    rule, message = only(look(tmp_path, HEAD + "@hookimpl\ndef ducttape_routes(ctx):\n    import os; os._exit(0)"))
    assert (rule, message) == ("routes", "plugin `hello`: it ends the process, when it is asked for its routes")


def test_a_setup_that_ends_the_process(tmp_path: Path) -> None:
    rule, message = only(look(tmp_path, HEAD + "@hookimpl\ndef ducttape_setup(ctx):\n    import os; os._exit(7)"))
    assert rule == "setup"
    assert message == "plugin `hello`: it ends the process (exit code 7), when it is asked for its setup"


def test_a_plugin_that_breaks_the_examiner_itself_is_told_by_its_last_words(tmp_path: Path) -> None:
    source = "class Odd:\n    DUCT_TAPE_API = (1, 0)\n    def __dir__(self): raise OSError('odd')\nplugin = Odd()\n"
    looked_at = subject(tmp_path, source, entries="hello = duct_tape_hello:plugin")
    rule, message = only(tried(looked_at.entries[0], looked_at))
    assert rule == "import-fails"
    assert message.startswith("plugin `hello`: it ends the process (exit code 1, OSError: odd), when")


def test_a_module_that_never_ends_is_ended_with_its_children(tmp_path: Path) -> None:
    mark = tmp_path / "child"
    source = "import pathlib, subprocess, time\nchild = subprocess.Popen(['sleep', '600'])\n"
    source += f"pathlib.Path({str(mark)!r}).write_text(str(child.pid))\ntime.sleep(600)\n"
    rule, message = only(look(tmp_path, source, limit=8))
    assert rule == "import-fails"
    assert message == "plugin `hello`: it does not end within 8 seconds, while it is imported"
    state = Path(f"/proc/{mark.read_text()}/stat")
    assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] in "ZX"


def test_what_was_found_before_the_end_is_kept(tmp_path: Path) -> None:
    source = "from duct_tape.api import hookimpl\n@hookimpl\ndef ducttape_config_class():\n    import os; os._exit(1)\n"
    found = look(tmp_path, source)
    assert [finding.rule for finding in found.findings] == ["api-version", "config-class"]


def test_output_at_the_import(tmp_path: Path) -> None:
    found = look(tmp_path, GOOD + "\nimport sys\nsys.stdout.write('hello')\nsys.stderr.write('not that')\n")
    assert only(found) == ("import-output", "importing it prints something")


def test_a_slow_import_is_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = subject(tmp_path)
    times = iter([1.5, 0.7, 0.9, 1.5, 0.3])
    monkeypatch.setattr(trial, "_tried", lambda *_: Trial(seconds=next(times)))
    rule, message = only(tried(looked_at.entries[0], looked_at))
    assert (rule, message) == (
        "import-slow", "importing `duct_tape_hello` takes 0.7 seconds, at every start of the server"
    )  # fmt: skip
    assert tried(looked_at.entries[0], looked_at).findings == []


def test_a_slow_import_in_truth(tmp_path: Path) -> None:
    found = look(tmp_path, GOOD + "\nimport time\ntime.sleep(0.6)\n")
    assert only(found)[0] == "import-slow"


def test_half_a_line_of_the_report_is_none(tmp_path: Path) -> None:
    report = tmp_path / "report.jsonl"
    report.write_text('{"stage": "hook"}\n{"find')
    assert trial._lines(report) == [{"stage": "hook"}]
    assert trial._lines(tmp_path / "none") == []
