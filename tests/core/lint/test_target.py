"""What an author types, and what is looked at then."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.lint_support import GOOD, subject

from duct_tape.errors import DuctTapeError
from duct_tape.lint import building, target
from duct_tape.lint.building import Unbuilt, built, unmet
from duct_tape.lint.target import TargetError, opened, tops
from duct_tape.plugins.discovery import installed

PYPROJECT = """\
[project]
name = "duct-tape-hello"
version = "1.0.0"
dependencies = ["duct-tape-core>=1.0,<2"]
[project.entry-points."duct_tape.plugins"]
hello = "duct_tape_hello"
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"
[tool.setuptools.packages.find]
where = ["src"]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with its package in `src`, which forgets a template."""
    folder = tmp_path / "project"
    package = folder / "src/duct_tape_hello"
    package.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (package / "__init__.py").write_text(GOOD)
    (package / "page.html").write_text("")
    return folder


def wheel(folder: Path) -> Path:
    """A wheel of the good plugin."""
    made = subject(folder / "unpacked")
    path = folder / "duct_tape_hello-1.0.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted((folder / "unpacked").rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder / "unpacked"))
        archive.mkdir("duct_tape_hello/empty")
    assert made.files
    return path


def test_a_wheel(tmp_path: Path) -> None:
    with opened(str(wheel(tmp_path))) as found:
        assert (found.name, [entry.name for entry in found.entries]) == ("duct-tape-hello", ["hello"])
        assert (found.places["duct_tape_hello"] / "__init__.py").read_text() == GOOD
        assert {path for path, _ in found.sources()} <= set(found.files or ())
        unpacked = found.path[0]
    assert not unpacked.exists()


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + bytes(18)])
def test_a_file_that_is_no_wheel(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.whl").write_bytes(content)
    with (
        pytest.raises(TargetError, match=r"x\.whl (cannot be read as a wheel|is no wheel)"),
        opened(str(tmp_path / "x.whl")),
    ):
        pass


def test_metadata_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "x.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x-1.dist-info/METADATA", b"Name: \xff\n")
    with pytest.raises(TargetError, match=r"the metadata of .*x\.whl cannot be read"), opened(str(path)):
        pass


def test_a_project_that_cannot_be_copied(project: Path, tmp_path: Path) -> None:
    os.mkfifo(project / "pipe")
    found = broken(project, tmp_path / "a")
    assert not found.broken
    assert found.sentence.startswith("the project cannot be copied, to build its wheel: `")


@pytest.mark.parametrize("inside", ["", "src", "src/duct_tape_hello", "src/duct_tape_hello/__init__.py"])
def test_a_project_is_looked_at_where_its_author_edits(
    project: Path, inside: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(project.rglob("*"))
    monkeypatch.chdir(project)
    with opened(inside or ".") as found:
        assert found.name == "duct-tape-hello"
        assert found.places == {"duct_tape_hello": project / "src/duct_tape_hello"}
        assert found.path == (project / "src",)
        assert found.files is not None
        assert "duct_tape_hello/__init__.py" in found.files
        assert "duct_tape_hello/page.html" not in found.files
    assert sorted(project.rglob("*")) == before


def test_a_project_of_the_old_kind(tmp_path: Path) -> None:
    (tmp_path / "setup.cfg").write_text("[metadata]\nname = old\nversion = 1\n[options]\npy_modules = old_module\n")
    (tmp_path / "setup.py").write_text("from setuptools import setup\nsetup()\n")
    (tmp_path / "old_module.py").write_text("")
    with opened(str(tmp_path)) as found:
        assert (found.name, found.places) == ("old", {"old_module": tmp_path / "old_module.py"})
        assert [path for path, _ in found.sources()] == ["old_module.py"]


@pytest.mark.parametrize(
    "name", ["duct-tape-plugins", "Duct_Tape.Plugins", "github", "duct_tape_github", "duct_tape_github.plugin"]
)
def test_names_of_what_is_installed(name: str) -> None:
    distribution = target.named(name)
    assert distribution is not None
    assert distribution.metadata["Name"] == "duct-tape-plugins"


def test_an_installed_distribution() -> None:
    distribution = target.named("attrs")
    assert distribution is not None
    found = target.installed(distribution)
    assert found.places.keys() >= {"attr", "attrs"}
    assert found.files is not None
    assert found.missing == ""
    assert target.editable(distribution) is None


def test_an_installation_that_knows_no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    distribution = target.named("duct-tape-plugins")
    assert distribution is not None
    found = target.installed(distribution)
    assert found.files is None
    assert found.missing == "what is in the wheel of duct-tape-plugins is not known: its files are elsewhere"


def test_an_editable_installation_is_its_project(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject(tmp_path / "site")
    origin = tmp_path / "site/duct_tape_hello-1.0.0.dist-info/direct_url.json"
    origin.write_text(json.dumps({"url": project.as_uri(), "dir_info": {"editable": True}}))
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    with opened("hello") as found:
        assert found.places == {"duct_tape_hello": project / "src/duct_tape_hello"}
    for text in (
        "no json",
        "{}",
        json.dumps({"url": project.as_uri()}),
        '{"url": "https://x", "dir_info": {"editable": 1}}',
    ):
        origin.write_text(text)
        with opened("hello") as found:
            assert found.places == {"duct_tape_hello": tmp_path / "site/duct_tape_hello"}


def test_without_a_wheel_the_editable_installation_has_to_do(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target, "built", lambda *_: Unbuilt(sentence="no wheel", broken=True))
    with pytest.raises(DuctTapeError, match=r"^no wheel$"), opened(str(project)):
        pass
    monkeypatch.setattr(target, "built", lambda *_: Unbuilt(sentence="no wheel", broken=False))
    with (
        pytest.raises(TargetError, match=r"^no wheel\. Or install the project.*`pip install -e "),
        opened(str(project)),
    ):
        pass
    subject(tmp_path / "site")
    origin = tmp_path / "site/duct_tape_hello-1.0.0.dist-info/direct_url.json"
    origin.write_text(json.dumps({"url": project.as_uri(), "dir_info": {"editable": True}}))
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    with opened(str(project)) as found:
        assert (found.files, found.missing, found.broken) == (None, "no wheel", False)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("githbu", "there is no folder, wheel, plugin, distribution or module `githbu`; did you mean `github`?"),
        ("zzz", f"; there are: {', '.join(sorted({'duct-tape-plugins', *installed()}))}"),
        ("dist/x.whl", "there is no folder, wheel"),
        ("/etc", "/etc is no project: neither there nor above it is a pyproject.toml or setup.cfg or setup.py"),
    ],
)
def test_what_is_not_there(name: str, text: str) -> None:
    with pytest.raises(TargetError) as raised, opened(name):
        pass
    assert text in str(raised.value)


def test_the_modules_of_a_wheel() -> None:
    files = ("a/__init__.py", "a/b/c.py", "d.py", "e/py.typed", "f/x.html", "a-1.dist-info/x.py", "g.txt")
    assert tops(files) == {"a": "a", "d": "d.py", "e": "e"}


def broken(project: Path, folder: Path) -> Unbuilt:
    folder.mkdir()
    result = built(project, folder)
    assert isinstance(result, Unbuilt)
    return result


def test_a_project_whose_wheel_cannot_be_built(project: Path, tmp_path: Path) -> None:
    (project / "pyproject.toml").write_text(PYPROJECT.replace('version = "1.0.0"', "version = 5"))
    found = broken(project, tmp_path / "a")
    assert found.broken
    assert found.sentence.startswith("the wheel cannot be built: ")
    (project / "pyproject.toml").write_text("no toml")
    found = broken(project, tmp_path / "b")
    assert found.broken
    assert found.sentence.startswith("pyproject.toml cannot be read: ")


def test_a_backend_that_is_not_installed_is_not_the_projects_fault(project: Path, tmp_path: Path) -> None:
    for number, requirement in enumerate(("nothing-of-this-name", "setuptools>=9999.1", "setuptools[x] >= 9999")):
        (project / "pyproject.toml").write_text(PYPROJECT.replace("setuptools>=77", requirement))
        found = broken(project, tmp_path / str(number))
        assert not found.broken
        assert found.sentence.endswith(f"that needs {requirement}: `pip install '{requirement}'`")
    assert unmet(["setuptools>=1", "attrs"]) == ""


def test_a_backend_that_hangs(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "backend.py").write_text("import time\ntime.sleep(600)\n")
    (project / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]'
    )
    monkeypatch.setattr(building, "SECONDS", 2.0)
    assert broken(project, tmp_path / "a").sentence == "building the wheel did not end within 2 seconds"


def test_a_backend_of_the_projects_own(project: Path, tmp_path: Path) -> None:
    (project / "own.py").write_text(
        "class inner:\n    def build_wheel(folder):\n        raise SystemExit('two\\nlines')\n"
    )
    text = '[build-system]\nrequires = []\nbuild-backend = "own:inner"\nbackend-path = ["."]'
    (project / "pyproject.toml").write_text(text)
    assert broken(project, tmp_path / "a").sentence == "the wheel cannot be built: SystemExit: two lines"
    (project / "own.py").write_text("class inner:\n    def build_wheel(folder): return 'x.whl'\n")
    assert broken(project, tmp_path / "b").sentence == "the wheel cannot be built: without a word"


def test_the_backend_gets_no_look_at_the_working_directory(project: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "duct_tape.lint.backend", str(project), str(tmp_path)],
        cwd=tmp_path, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert list(tmp_path.glob("*.whl"))
