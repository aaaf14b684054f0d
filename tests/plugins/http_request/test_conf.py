"""The configuration: what is wrong with it is said before anything starts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from duct_tape.assembly import assemble

SECRET = "4f1d0c5a9b3e4c7d8a6f"

Problems = Callable[..., list[str]]


@pytest.fixture
def problems(tmp_path: Path) -> Problems:
    """What is wrong with a trigger and a table."""
    (tmp_path / "token").write_text(SECRET)

    def found(trigger: str = "", table: str = 'hosts = ["ci.example.com"]') -> list[str]:
        path = tmp_path / "duct_tape.toml"
        text = f'[triggers.tell]\naction = "http-request"\n{trigger}\n[plugins.http-request]\n{table}\n'
        path.write_text(text.replace("FILE", f'{{ file = "{tmp_path}/token" }}'))
        assembly: Any = assemble(path)
        return [f"{item.path}: {item.message}".replace(str(tmp_path), "") for item in assembly.problems]

    return found


@pytest.mark.parametrize(
    "trigger",
    [
        'url = "https://ci.example.com/{{ release.tag | urlencode }}"',
        "secret_url = FILE\ntoken = FILE\ntimeout = 1\nexpect = [201, 409]",
        'url = "https://ci.example.com/"\nmethod = "PUT"\nheaders = { X-Tag = "{{ release.tag }}" }\n'
        "secret_headers = { X-Key = FILE }\nattempts = 1\ntimeout = 0.5",
    ],
)
def test_what_is_right(problems: Problems, trigger: str) -> None:
    assert problems(trigger) == []


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("secret_url = FILE", "triggers.tell: expected either `url` or `secret_url`,"),
        ('method = "TRACE"', "triggers.tell.method: expected one of"),
        ("timeout = 0", "triggers.tell.timeout: expected a number of seconds above 0, at most 300,"),
        ("timeout = 301", "triggers.tell.timeout: "),
        ("timeout = nan", "triggers.tell.timeout: "),
        ("attempts = 0", "triggers.tell.attempts: expected a number from 1 to 50,"),
        ("expect = [200, 99]", "triggers.tell.expect[1]: expected a status from 200 to 599,"),
        ('headers = { "X Y" = "" }', "triggers.tell.headers: 'X Y' is not the name of a header,"),
        ('headers = { Host = "evil" }', "triggers.tell.headers: the header `Host` cannot be chosen,"),
        ("secret_headers = { Content-Length = FILE }", "triggers.tell.secret_headers: the header `Content-Length`"),
        ('headers = { X = "" }\nsecret_headers = { x = FILE }', "triggers.tell: the header `x` is there 2 times,"),
        (
            'token = FILE\nheaders = { authorization = "" }',
            "triggers.tell: the header `authorization` is there 2 times,",
        ),
        ('token = "written here"', "triggers.tell.token: expected"),
    ],
)
def test_what_is_wrong_with_a_trigger(problems: Problems, line: str, problem: str) -> None:
    (found,) = problems(f'url = "https://ci.example.com/"\n{line}')
    assert found.startswith(problem)


def test_a_trigger_calls_something(problems: Problems) -> None:
    assert problems() == ["triggers.tell: expected either `url` or `secret_url`,"]


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ("", "plugins.http-request: the key `hosts` is missing"),
        ("hosts = []", "plugins.http-request.hosts: `hosts` is empty,"),
        ('hosts = ["a", "*.b"]', "plugins.http-request.hosts[1]: '*.b' is not a host such as 'ci.example.com' or"),
        ('hosts = ["127.1"]', "plugins.http-request.hosts[0]: '127.1' looks like an address, and is not the usual"),
    ],
)
def test_what_is_wrong_with_the_table(problems: Problems, table: str, problem: str) -> None:
    (found,) = problems('url = "https://ci.example.com/"', table)
    assert found.startswith(problem)
