"""``duct-tape new``: from a name to a project, without a question where nobody would answer."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]


@pytest.fixture(autouse=True)
def somebody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git configuration of the test's own."""
    config = tmp_path / "gitconfig"
    config.write_text("[user]\n\tname = Ada Lovelace\n[github]\n\tuser = ada\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return config


def test_author_and_address_are_gits(cli: Cli) -> None:
    ended = cli("new", "hello", "--kind", "integration")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (
        "wrote  duct-tape-hello: 13 files, the integration `hello`\n\n"
        "  cd duct-tape-hello\n  python -m pip install --editable '.[test]'\n  python -m pytest && duct-tape lint .\n"
    )
    setup = Path("duct-tape-hello/setup.cfg").read_text()
    assert "author = Ada Lovelace\nurl = https://github.com/ada/duct-tape-hello\n" in setup
    assert "Ada Lovelace" in Path("duct-tape-hello/LICENSE").read_text()


def test_or_what_is_given(cli: Cli, folder: Path) -> None:
    (folder / "inner").mkdir()
    ended = cli(
        "new", "duct-tape-hello", "--kind", "action", "--author", "Bob", "--url", "https://forge.example.com/bob/",
        "--directory", "inner",
    )  # fmt: skip
    assert ended.code == 0
    setup = Path("inner/duct-tape-hello/setup.cfg").read_text()
    assert "author = Bob\nurl = https://forge.example.com/bob\n" in setup


@pytest.mark.parametrize("how", ["nothing set", "no git", "git hangs", "not a line"])
def test_without_git_there_are_words_to_replace(
    cli: Cli, somebody: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    somebody.write_text('[user]\n\tname = "a\\tb"\n' if how == "not a line" else "")
    if how in ("no git", "git hangs"):
        (folder / "bin").mkdir()
        monkeypatch.setenv("PATH", str(folder / "bin"))
    if how == "git hangs":
        (folder / "bin/git").write_text("#!/bin/sh\nexec /bin/sleep 60\n")
        (folder / "bin/git").chmod(0o755)
        monkeypatch.setattr("duct_tape.cli.new.SECONDS", 0.05)
    ended = cli("new", "hello", "--kind", "observer")
    assert ended.code == 0
    assert ended.out.endswith("\nThen put the address of its source into setup.cfg.\n")
    setup = Path("duct-tape-hello/setup.cfg").read_text()
    assert "author = The duct-tape-hello contributors\n" in setup
    assert "url = https://github.com/YOUR-NAME/duct-tape-hello\n" in setup


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["hello"], "say which kind of plugin it is: --kind integration|action|observer"),
        ([], "Missing argument 'NAME'"),
        (["Hello"], "how about `hello`?"),
        (["github"], "`github` is the name of a command, or of an installed plugin"),
        (["lint"], "`lint` is the name of a command"),
        (["hello", "--kind", "theme"], "'theme' is not one of 'integration', 'action', 'observer'"),
        (["hello", "--kind", "action", "--author", "a\nb"], "it has to be one line of text"),
        (["hello", "--kind", "action", "--author", " "], "it has to be one line of text"),
        (["hello", "--kind", "action", "--url", "here"], "'here' is not a URL"),
        (["hello", "--kind", "action", "--directory", "nowhere"], "does not exist"),
    ],
)
def test_wrong_usage(cli: Cli, folder: Path, arguments: list[str], text: str) -> None:
    before = sorted(folder.rglob("*"))
    ended = cli("new", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert text in ended.err
    assert sorted(folder.rglob("*")) == before


def test_what_is_there_is_kept(cli: Cli) -> None:
    Path("duct-tape-hello").mkdir()
    ended = cli("new", "hello", "--kind", "action")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("error: duct-tape-hello is there already; ")


def test_on_a_terminal_it_asks(folder: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "duct_tape", "new", "hello"]
    process = subprocess.Popen(command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    os.write(ours, b"observer\n")
    said = b""
    try:
        while piece := os.read(ours, 4096):
            said += piece
    except OSError:
        # That is how a terminal of Linux ends.
        pass
    os.close(ours)
    assert process.wait(30) == 0, said
    assert b"Which kind (integration, action, observer) [integration]:" in said
    assert b"the observer `hello`" in said
