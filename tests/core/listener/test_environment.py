from __future__ import annotations

import subprocess

from hypothesis import given
from hypothesis import strategies as st

from duct_tape.flags import Flag
from duct_tape.listener.environment import environment


def test_only_what_a_script_needs_is_handed_down() -> None:
    ours = {"HOME": "/home/x", "SECRET": "s", "LANG": "C", "DUCT_TAPE_VOLUME": "/v", "PYTHONPATH": "/p"}

    seen = environment(Flag(run="r", application="a", prerelease=True), "c", ours)

    assert seen[b"HOME"] == b"/home/x"
    assert b"/usr/bin" in seen[b"PATH"]
    assert seen[b"DUCT_TAPE_PRERELEASE"] == b"true"
    assert not {b"SECRET", b"DUCT_TAPE_VOLUME", b"PYTHONPATH"} & seen.keys()


def test_what_no_environment_can_hold_is_replaced() -> None:
    seen = environment(
        Flag(run="r", application="a", tag="a\0b\ud800", url="é"), "c", {"PATH": "/bin", "HOME": "\udcff"}
    )

    assert seen[b"DUCT_TAPE_TAG"] == "a\ufffdb?".encode()
    assert seen[b"DUCT_TAPE_URL"] == "é".encode()
    assert seen[b"HOME"] == b"\xff"


@given(st.text())
def test_every_text_becomes_a_value(text: str) -> None:
    value = environment(Flag(run="r", application="a", tag=text), "c", {})[b"DUCT_TAPE_TAG"]

    assert b"\0" not in value


def test_the_system_takes_it() -> None:
    flag = Flag(run="r", application="a", tag="\0\n=\ud800")
    out = subprocess.run(
        ["/usr/bin/env", "-0"], env=environment(flag, "c", {}), stdout=subprocess.PIPE, check=True
    ).stdout

    assert "DUCT_TAPE_TAG=\ufffd\n=?".encode() in out.split(b"\0")
