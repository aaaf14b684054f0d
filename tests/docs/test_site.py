"""The pages as a site: links, order, and what they name."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.docs.support import DOCS, ROOT, page, pages, rows
from tests.unmeasured_support import unmeasured


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    environment = {**unmeasured(), "DUCT_TAPE_PYTHON": sys.executable}
    command = [str(ROOT / "scripts/docs"), "-b", "dummy", "-d", str(tmp_path)]
    built = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert built.returncode == 0, built.stderr


def test_every_page_is_in_the_table_of_contents() -> None:
    listed = set(re.findall(r"^[\w/-]+$", page("index.md"), re.MULTILINE)) - {""}
    written = {str(path.relative_to(DOCS).with_suffix("")) for path in pages() if DOCS in path.parents} - {"index"}
    assert listed == written


def test_links_between_files_lead_somewhere_on_a_code_host_too() -> None:
    for path in pages():
        for target in re.findall(r"\]\(([^)#\s]+\.md)(?:#[^)]*)?\)", path.read_text("utf-8")):
            if not target.startswith("http"):
                assert (path.parent / target).is_file(), f"{path}: {target}"


@pytest.mark.parametrize("name", ["explanation/threat-model.md", "explanation/promises.md"])
def test_the_tests_that_are_named_exist(name: str) -> None:
    named = re.findall(r"`(tests/[\w/.]+)`", page(name))
    assert named
    for test in named:
        assert (ROOT / test).is_file(), test


def test_every_row_of_the_threat_model_names_a_test_or_admits_that_nothing_stops_it() -> None:
    tables = page("explanation/threat-model.md").split("<!-- tests -->\n")[1:]
    assert len(tables) >= 7
    for attempt, stop, test in (row for table in tables for row in rows(table)):
        assert re.search(r"`tests/[\w/.]+`", test) or stop.startswith("nothing"), attempt


def test_architecture_has_every_room() -> None:
    text = page("explanation/architecture.md")
    for path in (ROOT / "core/duct_tape").iterdir():
        if path.name[0] in "._" or path.name == "py.typed":
            continue
        assert f"`{path.stem}/`" in text if path.is_dir() else f"`{path.stem}`" in text, path.name


def test_architecture_has_every_dependency() -> None:
    text = "".join((ROOT / path).read_text() for path in ("setup.cfg", "plugins/setup.cfg"))
    required = "".join(re.findall(r"^install_requires =\n((?:    .*\n)+)", text, re.MULTILINE))
    extras = (ROOT / "plugins/setup.cfg").read_text().partition("[options.extras_require]\n")[2]
    names = set(re.findall(r"^    ([\w-]+)", f"{required}\n{extras}", re.MULTILINE)) - {"duct-tape-core"}
    table = page("explanation/architecture.md").partition("## Dependencies")[2].partition("## ")[0]
    assert set(re.findall(r"\[([\w-]+)\]\(https", table)) == names
