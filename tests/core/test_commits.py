"""Names of Git objects in a payload."""

from __future__ import annotations

import pytest

from duct_tape.api import MalformedError, commit


@pytest.mark.parametrize("name", ["a" * 40, "0" * 40, "0123456789abcdef" * 4])
def test_a_whole_name_is_a_commit(name: str) -> None:
    assert commit({"push": {"after": name}}, "push.after") == name


@pytest.mark.parametrize("name", ["", "main", "A" * 40, "a" * 39, "a" * 41, "a" * 40 + "\n", None, 7])
def test_anything_else_is_malformed(name: object) -> None:
    with pytest.raises(MalformedError, match="`after`"):
        commit({"after": name}, "after")
