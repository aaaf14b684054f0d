"""The configuration: what is wrong with it is said before anything starts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from duct_tape.assembly import assemble

Problems = Callable[[str], list[str]]


@pytest.fixture
def problems(tmp_path: Path) -> Problems:
    def found(trigger: str) -> list[str]:
        path = tmp_path / "duct_tape.toml"
        path.write_text(f'[triggers.go]\naction = "run-command"\n{trigger}\n[plugins.run-command]\n')
        return [f"{item.path}: {item.message}; {item.hint}" for item in assemble(path).problems]

    return found


@pytest.mark.parametrize(
    "trigger",
    [
        'command = ["env"]',
        'command = ["/usr/bin/env", "-i", "--", "{{ release.tag }}"]\ndirectory = "/srv/{{ application }}"\n'
        'environment = { REF = "{{ release.tag }}", _x1 = "" }\nstdin = "nothing"\ntimeout = 1\nkill_after = 0.5\n'
        "attempts = 50",
        'command = ["sh", "-c", "echo \\"$1\\"", "sh", "{{ release.tag }}"]',
        'command = ["env", "-c", "{{ release.tag }}"]',
        'command = ["sh", "-eu", "/opt/x", "{{ release.tag }}"]',
    ],
)
def test_what_is_right(problems: Problems, trigger: str) -> None:
    assert problems(trigger) == []


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("", "triggers.go: the key `command` is missing"),
        ("command = []", "triggers.go.command: `command` is empty,"),
        ('command = "env x"', "triggers.go.command: expected a list"),
        ('command = ["{{ application }}"]', "triggers.go.command[0]: the program is a template,"),
        ('command = ["{% if true %}env{% endif %}"]', "triggers.go.command[0]: the program is a template,"),
        (
            'command = ["no-such-program"]',
            "triggers.go.command[0]: there is no program 'no-such-program' in /usr/local",
        ),
        ('command = ["./x"]', "triggers.go.command[0]: the program './x' is neither a name nor an absolute path,"),
        ('command = ["/no/such"]', "triggers.go.command[0]: there is no executable file '/no/such',"),
        ('command = ["env", "{{"]', "triggers.go.command[1]: the template cannot be used"),
        ('command = ["{{"]', "triggers.go.command[0]: the template cannot be used"),
        ('command = ["env"]\nenvironment = { "A B" = "" }', "triggers.go.environment: 'A B' cannot be the name"),
        ('command = ["env"]\nenvironment = { DUCT_TAPE_TAG = "" }', "triggers.go.environment: 'DUCT_TAPE_TAG' cannot"),
        ('command = ["env"]\ntimeout = 0', "triggers.go.timeout: expected a number of seconds above 0, at most 86400,"),
        ('command = ["env"]\ntimeout = nan', "triggers.go.timeout: expected a number"),
        (
            'command = ["env"]\nkill_after = 301',
            "triggers.go.kill_after: expected a number of seconds above 0, at most",
        ),
        ('command = ["env"]\nattempts = 0', "triggers.go.attempts: expected a number from 1 to 50,"),
        ('command = ["env"]\nstdin = "all"', "triggers.go.stdin: expected one of"),
    ],
)
def test_what_is_wrong(problems: Problems, line: str, problem: str) -> None:
    (found,) = problems(line)
    assert found.startswith(problem)


def test_there_is_a_limit_of_arguments_and_variables(problems: Problems) -> None:
    arguments = ", ".join(['"env"'] * 65)
    variables = ", ".join(f'A{number} = ""' for number in range(65))
    assert len(problems(f"command = [{arguments}]\nenvironment = {{ {variables} }}")) == 2


@pytest.mark.parametrize(
    "command",
    [
        '"sh", "-c", "deploy {{ release.tag }}"',
        '"/bin/bash", "-lc", "deploy {{ release.tag }}"',
        '"env", "-i", "dash", "-ec", "{{ release.tag }}"',
        '"python3", "-c", "print({{ release.tag }})"',
        '"perl", "-e", "{{ release.tag }}"',
    ],
)
def test_no_template_becomes_a_part_of_a_shells_program(problems: Problems, command: str) -> None:
    found = [item for item in problems(f"command = [{command}]") if "executable" not in item]
    assert len(found) == 1
    assert "a template becomes a part of a program here" in found[0]
    assert "$DUCT_TAPE_TAG" in found[0]
