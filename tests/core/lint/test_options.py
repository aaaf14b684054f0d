"""Classes of the configuration that would fail an operator, or tell a secret."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pytest
from attrs import define, field, frozen
from tests.lint_support import module

from duct_tape.api import ApplicationName, Secret, Template, TriggerName, option
from duct_tape.lint.options import INSTANCE_KEYS, TRIGGER_KEYS, examined, is_frozen
from duct_tape_github.conf import GitHubConf
from duct_tape_notify.conf import NotifyConf

HEAD = """\
from __future__ import annotations
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from attrs import define, field, frozen
from duct_tape.api import Secret, option
"""


def found(folder: Path, source: str, taken: tuple[str, ...] = INSTANCE_KEYS) -> list[tuple[str, int, str]]:
    cls = module(folder, HEAD + source).Conf
    before = HEAD.count("\n")
    return [(item.rule, item.line - before, item.message) for item in examined(cls, "ducttape_config_class", taken)]


def one(line: str) -> str:
    return f'@frozen(kw_only=True)\nclass Conf:\n    """All."""\n    {line}'


@frozen(kw_only=True)
class Inner:
    """One of many."""

    name: ApplicationName = option("Its name.")


@frozen(kw_only=True)
class Good:
    """Everything that the reader reads."""

    a: str = option("A.")
    b: int | None = option("B.", default=None)
    c: tuple[Secret, ...] = option("C.", default=())
    d: Mapping[str, Inner] = option("D.", factory=dict)
    e: Mapping[str, Any] = option("E.", factory=dict)
    f: Literal["x", "y"] = option("F.", default="x")
    g: tuple[TriggerName, ...] = option("G.", default=())
    h: Template = option("H.", default=Template("x"))
    i: Path = option("I.", default=Path("x"))
    j: Inner | None = option("J.", default=None)
    token: Secret | None = option("K.", default=None)
    token_header: str = option("L.", default="X-Token")
    made: list[str] = field(init=False, factory=list)


@pytest.mark.parametrize("cls", [Good, GitHubConf, NotifyConf])
def test_good_classes(cls: type) -> None:
    assert list(examined(cls, "it", INSTANCE_KEYS)) == []


@pytest.mark.parametrize("cls", [int, 5, None, "Conf", type("Plain", (), {})])
def test_what_is_no_attrs_class(cls: object) -> None:
    [finding] = examined(cls, "the action `x`", TRIGGER_KEYS)
    assert finding.rule == "config-class"
    assert finding.message == "the class of the action `x` is no attrs class"


@pytest.mark.parametrize(
    ("line", "rule", "message"),
    [
        ("x: list[str] = option('X.')", "config-type", "`x` is a list, which can be changed"),
        ("x: set[str] = option('X.')", "config-type", "`x` is a set, which can be changed"),
        ("x: dict = option('X.')", "config-type", "`x` is a dict, which can be changed"),
        ("x: tuple[list[str], ...] = option('X.')", "config-type", "`x` is a list, which can be changed"),
        ("x: Mapping[str, list[str]] = option('X.')", "config-type", "`x` is a list, which can be changed"),
        ("x: Any = option('X.')", "config-type", "`x` can be anything"),
        ("x: int | str = option('X.')", "config-type", "`x` can be of several types"),
        ("x: tuple[int, int] = option('X.')", "config-type", "`x` is a tuple of a fixed length"),
        ("x: tuple = option('X.')", "config-type", "`x` has a type that the reader does not know: tuple"),
        ("x: datetime = option('X.')", "config-type", "`x` has a type that the reader does not know: datetime"),
        ("x: datetime | None = option('X.')", "config-type", "`x` has a type that the reader does not know"),
        ("x: Unknown = option('X.')", "config-type", "the type of `x` is missing or cannot be read"),
        ("x: str", "config-help", "nothing says what `x` means"),
        ("x: str = option('')", "config-help", "nothing says what `x` means"),
        ("use: str = option('X.')", "config-key", "the key `use` is Duct Tape's own, and never gets here"),
        ("allow_from: str = option('X.')", "config-key", "the key `allow_from` is Duct Tape's own"),
        ("token: str = option('X.')", "config-secret", "`token` would stand in the configuration"),
        ("bot_token: str | None = option('X.')", "config-secret", "`bot_token` would stand"),
        ("secrets: tuple[str, ...] = option('X.')", "config-secret", "`secrets` would stand"),
        ("passwords: Mapping[str, str] = option('X.')", "config-secret", "`passwords` would stand"),
        ("api_key: str = option('X.')", "config-secret", "`api_key` would stand"),
    ],
)
def test_each_fault_of_a_key_has_its_line(tmp_path: Path, line: str, rule: str, message: str) -> None:
    [(its_rule, its_line, text)] = found(tmp_path, one(line))
    assert (its_rule, its_line) == (rule, 4)
    assert message in text


@pytest.mark.parametrize(
    "line", ["action: str = option('X.')", "max_tokens: int = option('X.')", "keys: str = option('X.')"]
)
def test_what_only_looks_like_a_fault(tmp_path: Path, line: str) -> None:
    assert found(tmp_path, one(line)) == []


def test_the_keys_of_a_trigger(tmp_path: Path) -> None:
    assert [rule for rule, _, _ in found(tmp_path, one("action: str = option('X.')"), TRIGGER_KEYS)] == ["config-key"]


def test_a_class_that_can_be_changed_or_says_nothing(tmp_path: Path) -> None:
    source = "@define\nclass Conf:\n    x: int = option('X.')"
    assert [(rule, line) for rule, line, _ in found(tmp_path, source)] == [("config-frozen", 2), ("config-help", 2)]


def test_inner_classes_are_looked_at_once_and_without_the_outer_ones_keys(tmp_path: Path) -> None:
    source = (
        '@define\nclass In:\n    """I."""\n    use: str = option("U.")\n'
        '@frozen\nclass Conf:\n    """C."""\n    a: In = option("A.")\n    b: Mapping[str, In] = option("B.")\n'
    )
    assert found(tmp_path, source) == [("config-frozen", 2, "`In` can be changed")]


def test_untyped_keys(tmp_path: Path) -> None:
    source = '@frozen\nclass Conf:\n    """C."""\n    x = field(default=1, metadata={"help": "X."})'
    assert [(rule, line) for rule, line, _ in found(tmp_path, source)] == [("config-type", 4)]


def test_frozen_in_every_way() -> None:
    @define
    class Changing:
        x: int = 1

    @frozen(slots=False)
    class Loose:
        x: int = 1

    @frozen
    class Empty:
        pass

    @frozen
    class Inherited(Loose):
        pass

    class Own:
        def __setattr__(self, name: str, value: object) -> None:
            raise RuntimeError

    assert [is_frozen(cls) for cls in (Changing, Loose, Empty, Inherited)] == [False, True, True, True]
    assert not is_frozen(define(slots=False)(Own))
