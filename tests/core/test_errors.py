"""Errors: each is a sentence, and one base catches all."""

from __future__ import annotations

import inspect

import pytest

from duct_tape import errors
from duct_tape.errors import ConfigurationError, DuctTapeError, PermanentError, Problem, TemplateError


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem(message="it is wrong"), "it is wrong"),
        (Problem(message="it is wrong", path="a.b"), "it is wrong in a.b"),
        (Problem(message="it is wrong", file="x.toml"), "it is wrong (x.toml)"),
        (Problem(message="it is wrong", hint="mend it"), "it is wrong; mend it"),
        (Problem(message="m", path="a.b", file="x.toml", hint="mend it"), "m in a.b (x.toml); mend it"),
    ],
)
def test_a_problem_is_a_sentence(problem: Problem, text: str) -> None:
    assert str(problem) == text


def test_a_configuration_error_carries_every_problem() -> None:
    problems = [Problem(message="one"), Problem(message="two")]
    error = ConfigurationError(iter(problems))
    assert error.problems == tuple(problems)
    assert str(error) == "one\ntwo"


def test_all_errors_have_one_base_and_say_who_sees_them() -> None:
    found = [error for _, error in inspect.getmembers(errors, inspect.isclass) if issubclass(error, Exception)]
    assert len(found) > 10
    for error in found:
        assert issubclass(error, DuctTapeError)
        assert error.__doc__


def test_a_template_that_fails_once_fails_always() -> None:
    assert issubclass(TemplateError, PermanentError)
