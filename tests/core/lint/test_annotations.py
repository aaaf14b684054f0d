"""Which annotations can be true. In doubt one is: a false alarm costs more than a miss."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, NewType, Optional, Self, TypeVar, Union

import pytest

from duct_tape.lint.annotations import fits

T = TypeVar("T")
Name = NewType("Name", str)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [  # both spellings of a union are looked at
        (int, int), (bool, int), (int, object), (Any, int), (int, Any), (T, int), (int, T), (Self, int), ("X", int),
        (None, int | None), (int, Optional[int]), (int | None, Union[int, str, None]), (Name, str),  # noqa: UP007, UP045
        (Annotated[int, 1], int), (list[int], Iterable[int]), (tuple[int, ...], Iterable[int]), (list, Iterable[int]),
        (Iterator[bool], Iterable[int]), (dict[str, Any], Mapping[str, int]), (dict[str, int], Mapping[str, Any]),
        (type[int], type), (type, type[int]), (tuple[int, str], Sequence[int]), (lambda: 1, int),
    ],
)  # fmt: skip
def test_what_can_be(given: Any, wanted: Any) -> None:
    assert fits(given, wanted)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (str, int), (int, bool), (None, int), (int, None), (int | None, int), (int | str, int | None), (Name, int),
        (Annotated[str, 1], int), (list[str], Iterable[int]), (int, Iterable[int]), (Iterable[int], list[int]),
        (list[int], Mapping[str, int]), (dict[int, int], Mapping[str, int]), (list[list[str]], Iterable[list[int]]),
        (type[str], type[int]), (tuple[str, ...], Iterable[int]),
    ],
)  # fmt: skip
def test_what_cannot_be(given: Any, wanted: Any) -> None:
    assert not fits(given, wanted)
