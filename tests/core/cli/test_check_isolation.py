"""A check ends with an answer, whatever the plugins do that it asks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
from tests.failure_support import raises
from tests.server_support import Checked, NoSettings, decide, parse, plugin, verify

from duct_tape.api import Action, Problem, Receiver, ReceiverRoute, RepositoriesConf
from duct_tape.assembly import assemble
from duct_tape.cli.check import check

SITE = """
[plugins.mine.repositories."acme/site"]
application = "site"
[triggers.deploy]
action = "touch-file"
[plugins.touch-file]
"""


def exits(*_: object) -> NoReturn:
    raise SystemExit(1)


def checked(folder: Path, text: str = "", **hooks: Callable[..., Any]) -> list[str]:
    path = folder / "duct_tape.toml"
    path.write_text(f"[plugins.mine]\n{text}")
    return [problem.message for problem in check(assemble(path, {"mine": plugin(**hooks)}))]


@pytest.mark.parametrize(("function", "text"), [(raises, "ValueError: broken"), (exits, "SystemExit: 1")])
def test_a_sample_that_fails_is_a_problem(tmp_path: Path, function: Callable[..., Any], text: str) -> None:
    receiver = Receiver(verifier=Checked(verify), parse=parse, decide=decide, sample=function)
    problems = checked(
        tmp_path,
        f'triggers = ["deploy"]\n{SITE}',
        config_class=lambda: RepositoriesConf,
        routes=lambda ctx: [ReceiverRoute(receiver)],
    )
    assert problems == [f"the plugin failed on its own sample: {text},"]


@pytest.mark.parametrize(("function", "text"), [(raises, "ValueError: broken"), (exits, "SystemExit: 1")])
def test_a_preview_that_fails_is_a_problem(tmp_path: Path, function: Callable[..., Any], text: str) -> None:
    action: Action[Any] = Action(settings=NoSettings, perform=function, preview=function)
    problems = checked(tmp_path, '[triggers.deploy]\naction = "act"\n', actions=lambda ctx: {"act": action})
    assert problems == [f"the trigger cannot be used: the action's preview failed ({text}),"]


@pytest.mark.parametrize("problem", [Problem(message="x", path=3), Problem(message=b"x")])  # type: ignore[arg-type]
def test_a_problem_that_cannot_be_shown_is_none(tmp_path: Path, problem: Problem) -> None:
    problems = checked(tmp_path, check=lambda ctx: [problem])
    assert problems == ["the plugin's own check returned something else than problems,"]
