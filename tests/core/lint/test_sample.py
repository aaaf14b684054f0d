"""A made-up configuration is one that the strict reader takes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pytest
from attrs import frozen

from duct_tape.api import ApplicationName, Filter, RepositoriesConf, Secret, Template, TriggerName, option
from duct_tape.conf.options import Address, HttpUrl, Proxy, Seconds, Size
from duct_tape.conf.structure import Reader
from duct_tape.lint.sample import SAMPLE, sources
from duct_tape_github.conf import GitHubConf
from duct_tape_notify.conf import NotifyConf


@frozen(kw_only=True)
class Inner:
    name: str
    other: int = 1


@frozen(kw_only=True)
class Everything:
    a: str
    b: int
    c: float
    d: bool
    e: Path
    f: Address
    g: ApplicationName
    h: HttpUrl
    i: Proxy
    j: Seconds
    k: Size
    l: TriggerName  # noqa: E741 - one letter each
    m: Template
    n: Filter
    o: Secret
    p: Secret | None
    q: tuple[Secret, ...]
    r: Mapping[str, Inner]
    s: Mapping[str, Any]
    t: Literal["x", "y"]
    u: Inner
    v: tuple[int, ...] | None
    w: int = option("W.", default=7)


@pytest.mark.parametrize("cls", [Everything, GitHubConf, NotifyConf, RepositoriesConf])
def test_everything_that_can_be_read_can_be_made_up(cls: type, tmp_path: Path) -> None:
    made = sources("hello", cls, tmp_path)
    config, problems = Reader(made, [SAMPLE]).read(cls, made.data["plugins"]["hello"], ("plugins", "hello"))
    assert [str(problem) for problem in problems] == []
    assert isinstance(config, cls)


def test_only_what_is_required_is_made_up(tmp_path: Path) -> None:
    table = sources("hello", Everything, tmp_path).data["plugins"]["hello"]
    assert "w" not in table
    assert table["u"] == {"name": "sample"}
    assert sources("hello", None, tmp_path).data["plugins"] == {"hello": {}}
