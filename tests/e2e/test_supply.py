"""``scripts/sbom`` and ``scripts/audit``: what is in here, and what is known of it."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


def run(name: str, *words: str, path: Path | None = None, code: int = 0) -> str:
    """What a script prints; with ``path`` in front of Python's own."""
    environment = {**os.environ, **({"PYTHONPATH": str(path)} if path else {})}
    command = [sys.executable, str(SCRIPTS / name), *words]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def test_the_list_has_every_package_once() -> None:
    document = json.loads(run("sbom"))
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert document["metadata"]["component"]["version"] == importlib.metadata.version("duct-tape-core")
    found = {component["purl"]: component["version"] for component in document["components"]}
    assert len(found) == len(document["components"])
    assert f"pkg:pypi/jinja2@{importlib.metadata.version('jinja2')}" in found
    if Path("/var/lib/dpkg/status").exists():
        assert any(purl.startswith("pkg:deb/debian/libc6@") for purl in found)


def test_it_runs_where_only_python_is() -> None:
    # As in the image: from standard input, without site-packages.
    text = (SCRIPTS / "sbom").read_text()
    done = subprocess.run([sys.executable, "-S", "-"], input=text, capture_output=True, text=True, check=True)
    assert "pkg:generic/python@" in done.stdout


def index(folder: Path, answer: Any) -> Path:
    """A folder with a pip-audit in it that prints this."""
    (folder / "pip_audit").mkdir()
    (folder / "pip_audit" / "__init__.py").touch()
    said = answer if isinstance(answer, str) else json.dumps({"dependencies": answer})
    (folder / "pip_audit" / "__main__.py").write_text(f"print({said!r})")
    return folder


HOLE = {"id": "CVE-2025-27516", "fix_versions": ["3.1.6"]}
UNKNOWN = {"name": "jinja2", "skip_reason": "Dependency not found on PyPI"}


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        ([{"name": "jinja2", "version": "3.1.6", "vulns": []}], 0, "1 packages audited, 0 holes found"),
        ([{"name": "jinja2", "version": "3.1.5", "vulns": [HOLE]}], 1, "jinja2 3.1.5: CVE-2025-27516, fixed in 3.1.6"),
        (
            [{"name": "h11", "version": "1", "vulns": []}, UNKNOWN],
            0,
            "NOT AUDITED, since the index does not know them: j",
        ),
        ([UNKNOWN], 0, "SKIPPED: the dependencies were NOT AUDITED: the index knows none of the packages"),
        ("", 0, "SKIPPED: the dependencies were NOT AUDITED: no answer"),
    ],
)
def test_a_hole_is_an_error_and_no_answer_is_said_aloud(tmp_path: Path, answer: Any, code: int, said: str) -> None:
    assert said in run("audit", path=index(tmp_path, answer), code=code)


@pytest.mark.parametrize("name", ["sbom", "audit"])
def test_help_is_no_mistake(name: str) -> None:
    assert f"scripts/{name}" in run(name, "--help")
    assert f"scripts/{name}" in run(name, "nonsense", code=2)
