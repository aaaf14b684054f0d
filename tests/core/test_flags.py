"""The flag: what the host reads of it, whatever is in the file."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import asdict
from hypothesis import given
from hypothesis import strategies as st

from duct_tape.flags import MAX_FLAG_BYTES, Flag

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=50)
FLAGS = st.builds(
    Flag,
    run=TEXT.filter(bool),
    application=TEXT.filter(bool),
    trigger=TEXT,
    integration=TEXT,
    delivery=TEXT,
    repository=TEXT,
    tag=TEXT,
    prerelease=st.booleans(),
    url=TEXT,
    commit=TEXT,
    requested_at=TEXT,
)


def test_a_flag_is_one_line_of_json() -> None:
    flag = Flag(run="r1", application="site.example.com", tag="v1 ü\n", prerelease=True)
    line = flag.to_line()
    assert line == (
        '{"run": "r1", "application": "site.example.com", "trigger": "", "integration": "", "delivery": "", '
        '"repository": "", "tag": "v1 ü\\n", "prerelease": true, "url": "", "commit": "", "requested_at": ""}\n'
    )


@given(FLAGS)
def test_the_other_side_reads_what_was_written(flag: Flag) -> None:
    line = flag.to_line().encode("utf-8")
    assert line.count(b"\n") == 1
    assert Flag.parse(line) == flag


@given(
    st.binary()
    | st.dictionaries(
        st.sampled_from(["run", "application", "tag", "prerelease", "new"]),
        st.none() | st.booleans() | st.integers() | st.text(st.characters(categories=None)) | st.lists(st.text()),
    ).map(lambda data: json.dumps(data).encode())
)
def test_any_content_gives_a_flag_or_none(content: bytes) -> None:
    flag = Flag.parse(content)
    assert flag is None or (flag.run and flag.application and isinstance(flag.prerelease, bool))
    # What it says can be written, printed and handed on.
    for value in asdict(flag).values() if flag else ():
        assert b"\0" not in str(value).encode("utf-8")


def test_whole_characters_beyond_the_first_plane_are_no_halves() -> None:
    content = b'{"run": "r1", "application": "a", "tag": "v1 \\ud83d\\ude80"}'
    assert Flag.parse(content) == Flag(run="r1", application="a", tag="v1 \N{ROCKET}")


def test_an_older_listener_reads_a_newer_flag() -> None:
    content = b'{"run": "r1", "application": "a", "new": {"x": 1}}'
    assert Flag.parse(content) == Flag(run="r1", application="a")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"deploy me",
        b"[]",
        b"null",
        b"{}",
        b"\xff",
        b'{"run": "r1"}',
        b'{"run": "", "application": "a"}',
        b'{"run": 1, "application": "a"}',
        b'{"run": "r1", "application": null}',
        b'{"run": "r1", "application": "a", "tag": 1}',
        b'{"run": "r1", "application": "a", "prerelease": "false"}',
        b'{"run": "r1", "application": "a", "prerelease": 0}',
        b'{"run": "r1\\u0000", "application": "a"}',
        b'{"run": "r1", "application": "a", "tag": "v1\\u0000"}',
        b'{"run": "r1", "application": "a\\ud800"}',
        b'{"run": "r1", "application": "a", "url": "\\udfff\\ud800"}',
        b'{"run": "r1", "application": "a", "x": ' + b"1" * 5000 + b"}",
        b"[" * 60_000,
    ],
)
def test_anything_else_is_none(content: bytes) -> None:
    assert Flag.parse(content) is None


def test_content_above_the_bound_is_not_looked_at() -> None:
    data: dict[str, Any] = {"run": "r1", "application": "a", "x": ""}
    data["x"] = "x" * (MAX_FLAG_BYTES - len(json.dumps(data)))
    assert Flag.parse(json.dumps(data).encode()) == Flag(run="r1", application="a")
    data["x"] += "xx"
    assert Flag.parse(json.dumps(data).encode()) is None


@given(FLAGS)
def test_every_member_is_a_variable_that_an_environment_can_hold(flag: Flag) -> None:
    variables = flag.environment()
    assert variables["DUCT_TAPE_RUN"] == flag.run.replace("\0", "\ufffd")
    assert variables["DUCT_TAPE_PRERELEASE"] == ("true" if flag.prerelease else "false")
    assert len(variables) == 11
    assert not any("\0" in value for value in variables.values())


def test_half_a_character_is_no_variable() -> None:
    assert Flag(run="r", application="a", tag="\ud800").environment()["DUCT_TAPE_TAG"] == "?"
