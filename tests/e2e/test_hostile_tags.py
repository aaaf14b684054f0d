"""Tags that mean something to a shell, a path, a template or a terminal: from a delivery to ``bin/deploy``."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.machine import LISTENERS, Machine, until

TAGS = (
    "$(touch pwned)",
    "`touch pwned`",
    "v1;touch pwned",
    "v1|touch${IFS}pwned",
    "v1&touch&pwned",
    "v1\ntouch pwned\n",
    "'\"\\",
    "-rf",
    "--help",
    "*",
    "../../pwned",
    "/etc/passwd",
    "..",
    ".",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "${PATH}",
    "%(x)s %s {0}",
    "\x1b[2J\x07",
    "v1\r\nDUCT_TAPE_RUN=evil",
    "\u202egro",
    "\uff0e\uff0e\uff0f",
    "🚀",
    "x" * 1000,
)
PLAIN = re.compile(r"[^\"\\\x00-\x1f\x7f]{1,250}")
# What it was given, and where it was when it got it.
DEPLOY = """#!/bin/sh
printf '%s\\0%s\\n' "$DUCT_TAPE_TAG" "$PWD" >>'{record}'
"""
NAMES = """
[triggers.raw]
action = "touch-file"
filename = "{{ release.tag }}"
[triggers.mapped]
action = "touch-file"
filename = "{{ application }}--{{ release.tag | filename }}"
"""


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    yield machine
    machine.close()
    assert not list(tmp_path.rglob("pwned"))


@pytest.mark.parametrize("form", LISTENERS)
def test_a_tag_is_what_the_script_gets_to_the_letter_and_nothing_more(machine: Machine, form: str) -> None:
    machine.application("app1", DEPLOY)
    machine.serve()
    machine.listen(form)
    home = str(machine.folder / "applications" / "app1")
    for number, tag in enumerate(TAGS):
        when = f"2026-01-01T00:00:{number:02}Z"
        answer = machine.release("app1", tag, published_at=when)
        assert (answer.code, answer.status) == (202, "accepted"), tag
        assert machine.until_ended(answer.run)["state"] == "deployed"
        # The shell hands on no text that JSON spells with a backslash, and no long one.
        given = tag if form == "python" or PLAIN.fullmatch(tag) else ""
        assert machine.record.read_bytes() == f"{given}\0{home}\n".encode()
        machine.record.unlink()


def test_a_tag_in_a_file_name_is_one_safe_name_or_the_run_fails(machine: Machine) -> None:
    # In front of the repositories, which come last.
    text = machine.configuration.read_text()
    machine.configuration.write_text(text.replace("[plugins.touch-file]", f"{NAMES}[plugins.touch-file]"))
    machine.application("app1", triggers='["mapped"]')
    machine.application("app2", triggers='["raw"]')
    server = machine.serve()
    before = set(os.listdir(machine.folder))
    for number, tag in enumerate(TAGS):
        for name in ("app1", "app2"):
            when = f"2026-01-01T00:00:{number:02}Z"
            assert machine.release(name, tag, published_at=when).code == 202
    until(lambda: "accepted" not in machine.command("runs", "list", "--limit", "100"))
    mapped, raw = ([name for name in machine.flags() if name.startswith("app1--") is kind] for kind in (True, False))
    assert len(mapped) == len(TAGS)
    # Those that are one name, and no option.
    assert set(raw) < set(TAGS)
    assert {"*", "🚀", "{{ 7 * 7 }}", "$(touch pwned)"} <= set(raw)
    assert not {"-rf", "--help", "..", ".", "../../pwned", "/etc/passwd", "x" * 1000} & set(raw)
    assert all(name.isprintable() and len(name.encode()) <= 255 for name in [*mapped, *raw])
    assert set(os.listdir(machine.folder)) - {"server.pid"} <= before
    assert server.poll() is None
    assert not machine.said("Traceback")


def test_a_tag_that_makes_a_template_grow_fails_its_run_and_keeps_nobody_waiting(machine: Machine) -> None:
    text = machine.configuration.read_text()
    grown = "{{ release.tag" + " | replace('x', release.tag)" * 8 + " }}"
    trigger = f'[triggers.grows]\naction = "touch-file"\nfilename = "{grown}"\n'
    machine.configuration.write_text(text.replace("[plugins.touch-file]", f"{trigger}[plugins.touch-file]"))
    machine.application("app1", triggers='["grows"]')
    machine.application("app2")
    machine.serve()
    answer = machine.release("app1", "x" * 1000)
    assert answer.code == 202
    other = machine.release("app2", "v1")
    assert other.code == 202
    until(lambda: machine.flags() == ["app2"], 5)
    until(lambda: "failed" in machine.command("runs", "show", answer.run), 5)
