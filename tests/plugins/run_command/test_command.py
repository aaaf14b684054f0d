"""What is run for a run: argument by argument, and nothing that a release could make of it."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from tests.server_support import run

from duct_tape.api import PermanentError, Release, Template
from duct_tape_run_command.command import MAX_ONE, Command, command_of, preview
from duct_tape_run_command.conf import RunCommandSettings
from duct_tape_run_command.program import PATH, program, program_problem

OURS = {"HOME": "/home/x", "LANG": "C.UTF-8", "SECRET": "t0psecret", "PATH": "/evil", "DUCT_TAPE_VOLUME": "/v"}


def settings_of(*command: str, **settings: Any) -> RunCommandSettings:
    environment = {name: Template(text) for name, text in settings.pop("environment", {}).items()}
    if "directory" in settings:
        settings["directory"] = Template(settings["directory"])
    return RunCommandSettings(command=tuple(map(Template, command)), environment=environment, **settings)


def made(*command: str, tag: str = "v1", **settings: Any) -> Command:
    event = evolve(run().event, release=Release(id="1", tag=tag))
    return command_of(run(event=event), settings_of(*command, **settings), OURS)


@pytest.mark.parametrize(
    "tag", ["v1", "a b", "$(reboot)", "`id`", "a;b", "'", '"', "a\nb", "*", "~", "{{ 7*7 }}", "ä🎉", "", "a -rf b"]
)
def test_whatever_the_tag_it_is_one_argument(tag: str) -> None:
    command = made("env", "one", "{{ release.tag }}", "--tag={{ release.tag }}", tag=tag)
    assert command.arguments == ("/usr/bin/env", "one", tag, f"--tag={tag}")


@given(st.text(st.characters(codec="utf-8")))
def test_any_tag_arrives_as_it_is_or_fails_the_run(tag: str) -> None:
    try:
        command = made("env", "{{ release.tag }}", tag=tag)
    except PermanentError:
        assert tag.startswith("-") or "\0" in tag
        return
    assert command.arguments[1:] == (tag,)
    assert not tag.startswith("-")


def test_a_tag_cannot_become_an_option() -> None:
    with pytest.raises(PermanentError, match="argument 2 begins with a dash"):
        made("git", "checkout", "{{ release.tag }}", tag="--upload-pack=x")


@pytest.mark.parametrize(
    "command",
    [
        ("env", "--", "{{ release.tag }}"),
        ("env", "-x", "--", "fixed", "{{ release.tag }}"),
        ("env", "--tag", "--tag={{ release.tag }}"),
        ("env", "-{{ release.tag }}"),
    ],
)
def test_where_no_option_can_be_meant_a_dash_is_a_character(command: tuple[str, ...]) -> None:
    assert made(*command, tag="-rf").arguments[-1].endswith("-rf")


def test_only_a_fixed_double_dash_ends_the_options() -> None:
    with pytest.raises(PermanentError, match="argument 1 begins with a dash"):
        made("env", "{{ release.tag }}", "{{ release.tag }}", tag="--")


@pytest.mark.parametrize("key", ["command", "environment", "directory"])
def test_a_nul_is_refused(key: str) -> None:
    settings: dict[str, Any] = {"environment": {"A": "{{ release.tag }}"}, "directory": "/{{ release.tag }}"}
    command = ("env", "{{ release.tag }}") if key == "command" else ("env",)
    with pytest.raises(PermanentError, match="holds a NUL"):
        made(*command, tag="a\0b", **({key: settings[key]} if key in settings else {}))


def test_arguments_have_a_limit_each_and_together() -> None:
    assert made("env", "{{ release.tag }}", tag="x" * MAX_ONE).arguments[1] == "x" * MAX_ONE
    with pytest.raises(PermanentError, match="argument 1 has more than 32 KiB"):
        made("env", "{{ release.tag }}", tag="x" * (MAX_ONE + 1))
    with pytest.raises(PermanentError, match="more than 256 KiB of arguments and variables"):
        made("env", *["{{ release.tag }}"] * 9, tag="x" * MAX_ONE)


def test_a_value_that_is_not_there_fails_the_run() -> None:
    with pytest.raises(PermanentError, match="template"):
        made("env", "{{ release.nothing }}")


def test_the_environment_is_clean() -> None:
    command = made("env", environment={"REF": "refs/tags/{{ release.tag }}", "LANG": "C"}, tag="v1 $x")
    flag = run(event=evolve(run().event, release=Release(id="1", tag="v1 $x"))).flag().environment()
    assert {**command.environment, "DUCT_TAPE_REQUESTED_AT": ""} == {
        "PATH": PATH, "HOME": "/home/x", "LANG": "C", "REF": "refs/tags/v1 $x", **flag, "DUCT_TAPE_REQUESTED_AT": "",
    }  # fmt: skip
    assert command.environment["DUCT_TAPE_TAG"] == "v1 $x"
    assert "t0psecret" not in str(command)


@pytest.mark.parametrize(
    ("directory", "tag"),
    [
        ("relative", "x"),
        ("/srv/{{ release.tag }}", "../etc"),
        ("/srv/{{ release.tag }}/x", ".."),
        ("{{ release.tag }}", "x"),
    ],
)
def test_the_directory_is_absolute_and_does_not_climb(directory: str, tag: str) -> None:
    with pytest.raises(PermanentError, match="which is not an absolute path without"):
        made("env", directory=directory, tag=tag)
    assert made("env", directory="/srv/{{ application }}").directory == "/srv/app"


def test_the_preview_shows_the_exact_list() -> None:
    shown = preview(made("env", "a b", "{{ release.tag }}", environment={"A": "x\ny"}, tag='"\x1b'))
    assert json.loads(shown["command"]) == ["/usr/bin/env", "a b", '"\x1b']
    assert shown["environment"] == 'A="x\\ny"'
    assert json.loads(shown["stdin"])["run"] == "run-1"
    assert preview(made("env", stdin="nothing"))["stdin"] == ""


def test_a_program_is_looked_up_in_a_fixed_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "env").write_text("#!/bin/sh\n")
    (tmp_path / "env").chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(tmp_path))
        assert program("env") == "/usr/bin/env"
    assert program("/usr/bin/env") == "/usr/bin/env"
    assert program(f"{tmp_path}/env") == f"{tmp_path}/env"


@pytest.mark.parametrize(
    "word", ["", "no-such-program", "./env", "bin/env", "/usr/bin/../bin/env", "/usr", "/etc/passwd", "a\0b"]
)
def test_what_is_no_program(word: str) -> None:
    assert program_problem(word)
    with pytest.raises(PermanentError):
        program(word)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), max_size=3))
def test_the_system_hands_over_what_was_rendered(words: list[str]) -> None:
    template = tuple(f"x{{{{ vars.a{index} }}}}" for index in range(len(words)))
    given_run = run(vars={f"a{index}": word for index, word in enumerate(words)})
    command = command_of(given_run, settings_of("/usr/bin/printf", "%s\\0", *template), dict(os.environ))
    done = subprocess.run(command.arguments, env=command.environment, capture_output=True, check=True)
    assert done.stdout.decode() == "".join(f"x{word}\0" for word in words) or not words
