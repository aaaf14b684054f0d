"""What a plugin may be called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duct_tape.conf.load import INSTANCE
from duct_tape.scaffold.names import LONGEST, Names, named


def test_all_names_come_from_one() -> None:
    names = Names("build-server2")
    assert names.distribution == "duct-tape-build-server2"
    assert names.package == "duct_tape_build_server2"
    assert names.header == "X-Build-Server2"
    assert names.variable == "BUILD_SERVER2"


def test_the_folders_name_does_as_well() -> None:
    assert named("duct-tape-hello") == named("hello") == Names("hello")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "Hello",
            "'Hello' cannot be a plugin's name: lower-case letters and digits, dashes between; how about `hello`?",
        ),
        ("hello_world", "; how about `hello-world`?"),
        ("-hello-", "; how about `hello`?"),
        ("a--b", "; how about `a-b`?"),
        ("2nd", "dashes between"),
        ("", "'' cannot be a plugin's name"),
        ("duct-tape-", "'duct-tape-' cannot be a plugin's name"),
        ("../x", "; how about `x`?"),
        ("höhle", "cannot be a plugin's name"),
        ("a\n", "; how about `a`?"),
        ("x" * 31, "the name has 31 characters, and more than 30 are too many to type"),
        ("taken", "`taken` is the name of a command, or of an installed plugin; choose another"),
    ],
)
def test_what_cannot_be_a_name(text: str, sentence: str) -> None:
    with pytest.raises(ValueError) as raised:
        named(text, ["taken"])
    assert sentence in str(raised.value)


@given(st.text() | st.from_regex(r"[a-zA-Z0-9_-]{1,40}", fullmatch=True))
def test_any_text_is_a_good_name_or_refused(text: str) -> None:
    try:
        names = named(text)
    except ValueError:
        return
    assert INSTANCE.fullmatch(names.plugin)
    assert names.package.isidentifier()
    assert len(names.plugin) <= LONGEST
