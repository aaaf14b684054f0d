"""Hooks that pluggy would take or pass over without a word."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.lint_support import GOOD, module

from duct_tape.hookspecs import API_VERSION, hookimpl
from duct_tape.lint import hooks

HEAD = """\
from __future__ import annotations
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from duct_tape.api import Context, Check, ReceiverRoute, Refusal, hookimpl
if TYPE_CHECKING:
    from duct_tape.api import Run
    from elsewhere import Unknown
"""


def found(folder: Path, source: str) -> list[tuple[str, str, str]]:
    plugin = module(folder, HEAD + source)
    return [
        (finding.rule, finding.message, finding.hint)
        for name, function in hooks.named(plugin).items()
        for finding in hooks.hook(name, function)
    ]


@pytest.mark.parametrize(
    "source",
    [
        "@hookimpl\ndef ducttape_setup(ctx: Context) -> None: ...",
        "@hookimpl\ndef ducttape_setup(): ...",
        "@hookimpl\ndef ducttape_health(ctx: Any) -> list[Check]: ...",
        "@hookimpl\ndef ducttape_health(ctx: object) -> tuple[Check, ...]: ...",
        "@hookimpl\ndef ducttape_health(ctx: Context | None) -> Sequence[Check]: ...",
        "@hookimpl\ndef ducttape_routes(ctx: Context) -> list[ReceiverRoute]: ...",
        "@hookimpl\nasync def ducttape_on_run(ctx: Context, run: Run) -> None: ...",
        "@hookimpl\ndef ducttape_before_run(run: Run) -> Refusal | None: ...",
        "@hookimpl\ndef ducttape_before_run(run: Run) -> None: ...",
        "@hookimpl\ndef ducttape_before_run(run: Unknown) -> Unknown: ...",
        "@hookimpl\ndef ducttape_config_class() -> type[Context]: ...",
        "@hookimpl\n@asynccontextmanager\nasync def ducttape_lifespan(ctx: Context) -> AsyncIterator[None]: yield",
        "@asynccontextmanager\n@hookimpl\nasync def ducttape_lifespan(ctx: Context) -> AsyncIterator[None]: yield",
        "x_ducttape_setpu = 1",
    ],
)
def test_what_is_right_is_not_found(tmp_path: Path, source: str) -> None:
    assert found(tmp_path, source) == []


@pytest.mark.parametrize(
    ("source", "rule", "message", "hint"),
    [
        ("@hookimpl\ndef ducttape_setpu(ctx): ...", "hook-unknown", "there is no hook `ducttape_setpu`",
         "did you mean `ducttape_setup`?"),
        ("ducttape_something = 1", "hook-unknown", "there is no hook `ducttape_something`", "hooks: "),
        ("def ducttape_setup(ctx): ...", "hook-undecorated", "`ducttape_setup` is not marked with @hookimpl",
         "write `@hookimpl` above it"),
        ("class A:\n    def __call__(self, x=1): ...\nducttape_setup = A()", "hook-undecorated", "is not marked",
         "write `@hookimpl`"),
        ("ducttape_setup = 1", "hook-undecorated", "`ducttape_setup` is not marked", "write `@hookimpl`"),
        ("@hookimpl\ndef ducttape_setup(cxt): ...", "hook-arguments",
         "`ducttape_setup` takes `cxt`, which is not offered", "did you mean `ctx`?"),
        ("@hookimpl\ndef ducttape_setup(ctx, request): ...", "hook-arguments",
         "`ducttape_setup` takes `request`, which is not offered", "its arguments are: ctx"),
        ("@hookimpl\ndef ducttape_config_class(ctx): ...", "hook-arguments", "takes `ctx`", "it has no arguments"),
        ("@hookimpl\ndef ducttape_setup(ctx, **more): ...", "hook-arguments", "takes `**more`, which stays empty", ""),
        ("@hookimpl\ndef ducttape_setup(ctx=None): ...", "hook-default", "`ctx` of `ducttape_setup` has a default", ""),
        ("@hookimpl\ndef ducttape_on_run(ctx, run): ...", "hook-async", "must be async", "write `async def`"),
        ("@hookimpl\nasync def ducttape_setup(ctx): ...", "hook-async", "must not be async", "write `def`"),
        ("@hookimpl\ndef ducttape_setup(ctx: str): ...", "hook-annotation",
         "`ctx` of `ducttape_setup` is annotated `str` and is a `Context`", ""),
        ("@hookimpl\ndef ducttape_before_run(run: 'Context'): ...", "hook-annotation", "is a `Run`", ""),
        ("@hookimpl\ndef ducttape_health(ctx) -> Check: ...", "hook-annotation",
         "`ducttape_health` returns `Check`, where its hook has `Iterable[Check]`", ""),
        ("@hookimpl\ndef ducttape_health(ctx) -> list[str]: ...", "hook-annotation", "returns `list[str]`", ""),
        ("@hookimpl\ndef ducttape_health(ctx) -> None: ...", "hook-annotation", "returns `None`", ""),
        ("@hookimpl\ndef ducttape_before_run(run) -> bool: ...", "hook-annotation", "returns `bool`", ""),
    ],
)  # fmt: skip
def test_each_fault_is_told_with_its_cure(tmp_path: Path, source: str, rule: str, message: str, hint: str) -> None:
    [(its_rule, text, cure)] = found(tmp_path, source)
    assert its_rule == rule
    assert message in text
    assert hint in cure
    assert cure


def test_all_faults_of_one_hook_are_told(tmp_path: Path) -> None:
    source = "@hookimpl\ndef ducttape_on_run(ctx: int, rnu, run=1): ..."
    rules = {"hook-async", "hook-annotation", "hook-arguments", "hook-default"}
    assert {rule for rule, _, _ in found(tmp_path, source)} == rules


def test_the_place_is_the_line_of_the_function(tmp_path: Path) -> None:
    plugin = module(tmp_path, "from duct_tape.api import hookimpl\n\n\n@hookimpl\n\ndef ducttape_setup(x): ...\n")
    [finding] = hooks.hook("ducttape_setup", plugin.ducttape_setup)
    assert (finding.file, finding.line) == (str(plugin.__file__), 6)


@pytest.mark.parametrize(
    ("line", "message", "hint", "place"),
    [
        ("", "it does not say for which API it was written", "add DUCT_TAPE_API = (1, 0)", 1),
        ("x = 1\nDUCT_TAPE_API = (1, 999)", "it was written for API 1.999", "upgrade duct-tape-core", 2),
        ("DUCT_TAPE_API = (0, 1)", "it was written for API 0.1", "upgrade the plugin", 1),
        ("DUCT_TAPE_API: str = '1.0'", "its DUCT_TAPE_API is no pair of numbers", "write DUCT_TAPE_API = (1, 0)", 1),
    ],
)
def test_the_api_version(tmp_path: Path, line: str, message: str, hint: str, place: int) -> None:
    [finding] = hooks.api(module(tmp_path, line))
    assert (finding.rule, finding.line, finding.hint) == ("api-version", place, hint)
    assert message in finding.message
    assert list(hooks.api(module(tmp_path, f"DUCT_TAPE_API = {API_VERSION}"))) == []


def test_a_good_plugin_has_no_faults_and_all_its_hooks_are_sound(tmp_path: Path) -> None:
    plugin = module(tmp_path, GOOD)
    sound = hooks.sound(plugin)
    assert [finding for name in hooks.named(plugin) for finding in hooks.hook(name, getattr(plugin, name))] == []
    assert hooks.named(sound) == hooks.named(plugin)


def test_what_cannot_be_called_is_left_out_of_the_sound_ones(tmp_path: Path) -> None:
    source = (
        "def ducttape_setup(ctx): ...\n@hookimpl\ndef ducttape_health(x): ...\n@hookimpl\ndef ducttape_check(ctx=1): 1"
    )
    assert list(hooks.named(hooks.sound(module(tmp_path, HEAD + source)))) == ["ducttape_check"]


def test_a_plugin_can_be_an_object() -> None:
    class Plugin:
        @hookimpl
        def ducttape_setup(self, ctx: int) -> None: ...

    [finding] = hooks.hook("ducttape_setup", Plugin().ducttape_setup)
    assert finding.rule == "hook-annotation"
    assert finding.file == __file__
