"""``duct-tape lint``: everything at once, with a place and a cure."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
from tests.lint_support import GOOD, METADATA, subject

from duct_tape.lint.finding import RULES
from duct_tape.lint.report import reported
from duct_tape.plugins.discovery import installed

Cli = Callable[..., Any]
ROOT = Path(__file__).parents[3]

BAD = '''\
from attrs import define
from duct_tape.api import Context, hookimpl
from duct_tape.runs import Run

@define
class Conf:
    """All."""
    token: str

@hookimpl
def ducttape_config_class(): return Conf

@hookimpl
def ducttape_setpu(ctx): print(ctx)

def ducttape_health(ctx): return []

@hookimpl
def ducttape_on_run(contxt: Context, run: int = 5): ...
'''
WRONG = """\
duct_tape_hello/__init__.py:1: it does not say for which API it was written; add DUCT_TAPE_API = (1, 0)  [api-version]
duct_tape_hello/__init__.py:3: `duct_tape.runs` is not part of the API and may change at any time; import from \
`duct_tape.api`  [import-private]
duct_tape_hello/__init__.py:6: `Conf` can be changed; write `@frozen(kw_only=True)`  [config-frozen]
duct_tape_hello/__init__.py:8: nothing says what `token` means; write `= option("…")`: it is shown by editors  \
[config-help]
duct_tape_hello/__init__.py:8: `token` would stand in the configuration for everybody to read, and in logs; make it a \
`Secret`  [config-secret]
duct_tape_hello/__init__.py:14: there is no hook `ducttape_setpu`; did you mean `ducttape_setup`?  [hook-unknown]
duct_tape_hello/__init__.py:14: a print was left in; write `ctx.log.info(…)`; commands use `click.echo`  [print]
duct_tape_hello/__init__.py:16: `ducttape_health` is not marked with @hookimpl; write `@hookimpl` above it, from \
`duct_tape.api`  [hook-undecorated]
duct_tape_hello/__init__.py:19: `run` of `ducttape_on_run` is annotated `int` and is a `Run`; annotate it as \
docs/reference/hooks.md does  [hook-annotation]
duct_tape_hello/__init__.py:19: `ducttape_on_run` takes `contxt`, which is not offered; did you mean `ctx`?  \
[hook-arguments]
duct_tape_hello/__init__.py:19: `ducttape_on_run` must be async; write `async def`  [hook-async]
duct_tape_hello/__init__.py:19: `run` of `ducttape_on_run` has a default, which is never used; take the default away  \
[hook-default]
it names no licence, so nobody may use it; add `license = "MIT"`, or another  [metadata-license]
duct-tape-hello 1.0.0 (plugins: hello): 13 problems
"""


@pytest.fixture
def hello(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Install a distribution with one plugin."""

    def hello(source: str = GOOD, about: str = METADATA) -> None:
        looked_at = subject(tmp_path / "site", source, about=about)
        info = tmp_path / "site/duct_tape_hello-1.0.0.dist-info"
        (info / "RECORD").write_text("".join(f"{file},,\n" for file in looked_at.files or ()))
        monkeypatch.syspath_prepend(str(tmp_path / "site"))
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))

    return hello


def test_a_good_plugin_is_fine(cli: Cli, hello: Callable[..., None]) -> None:
    hello()
    ended = cli("lint", "hello")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == "duct-tape-hello 1.0.0 (plugins: hello): it is fine\n"


def test_a_bad_one_hears_everything_at_once(cli: Cli, hello: Callable[..., None]) -> None:
    hello(BAD, METADATA.replace("License-Expression: MIT\n", ""))
    ended = cli("lint", "duct_tape_hello")
    assert (ended.code, ended.err) == (1, "")
    assert ended.out.replace("site/", "") == WRONG


def test_json_and_rules_that_do_not_count(cli: Cli, hello: Callable[..., None]) -> None:
    hello(GOOD + "\nprint(1)\n")
    ended = cli("lint", "hello", "--json", "--ignore", "import-output")
    assert ended.code == 1
    found = json.loads(ended.out)
    assert found.keys() == {"problems", "distribution", "version", "plugins", "notes"}
    [problem] = found["problems"]
    assert problem == {
        "rule": "print",
        "file": "site/duct_tape_hello/__init__.py",
        "line": GOOD.count("\n") + 2,
        "message": "a print was left in",
        "hint": "write `ctx.log.info(…)`; commands use `click.echo`",
    }
    assert cli("lint", "hello", "--ignore", "import-output", "--ignore", "print").code == 0


@pytest.mark.parametrize("arguments", [("nowhere",), ("hello", "--ignore", "nonsense"), ()])
def test_wrong_usage(cli: Cli, arguments: tuple[str, ...]) -> None:
    ended = cli("lint", *arguments)
    assert (ended.code, ended.out) == (2, "")


def test_what_could_not_be_looked_at_is_said(cli: Cli, hello: Callable[..., None]) -> None:
    hello()
    Path("site/duct_tape_hello-1.0.0.dist-info/RECORD").unlink()
    ended = cli("lint", "hello")
    assert ended.code == 0
    assert ended.out.startswith("note: what is in the wheel of duct-tape-hello is not known: its files are elsewhere; ")


def test_the_rules(cli: Cli) -> None:
    ended = cli("lint", "--rules")
    assert ended.code == 0
    assert [line.split()[0] for line in ended.out.splitlines()] == list(RULES)


def test_a_broken_project_is_a_problem_and_what_is_missing_a_note(tmp_path: Path) -> None:
    looked_at = attrs.evolve(subject(tmp_path), files=None, missing="the wheel is not known")
    report = reported(looked_at)
    assert report.findings == ()
    assert report.notes == ("the wheel is not known; lint the wheel too: `duct-tape lint dist/….whl`",)
    report = reported(attrs.evolve(looked_at, broken=True))
    assert [(finding.rule, finding.message) for finding in report.findings] == [
        ("wheel-build", "the wheel is not known")
    ]  # fmt: skip


def test_the_same_is_told_once(tmp_path: Path) -> None:
    looked_at = subject(tmp_path, "def f(:", entries="one = duct_tape_hello\ntwo = duct_tape_hello")
    assert [finding.rule for finding in reported(looked_at).findings] == ["syntax"]


def test_the_bundled_plugins_pass(cli: Cli) -> None:
    # Where the project will be published has not been decided, so the packages name no address.
    ended = cli("lint", str(ROOT / "plugins"), "--ignore", "metadata-url")
    *notes, last = ended.out.splitlines()
    assert (ended.code, last) == (0, f"duct-tape-plugins 1.0.0 (plugins: {', '.join(sorted(installed()))}): it is fine")
    # Of two keys one is needed, and a made-up configuration has neither.
    assert {note.split(":")[1] for note in notes} <= {" plugin gitlab", " plugin webhook"}


def test_the_other_commands_do_not_import_it() -> None:
    script = "import sys; import duct_tape.cli; print([name for name in sys.modules if 'lint' in name])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"
