"""What is wrong with a configuration of repositories: every problem, with its key path."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from duct_tape.conf.options import TriggerName
from duct_tape.errors import Problem
from duct_tape.repositories import RepositoriesConf, Repository, secrets_problems, vars_problems
from duct_tape.secret import Secret
from duct_tape.templates import Template

DEPLOY, ANNOUNCE = TriggerName("deploy"), TriggerName("announce")


def repository(application: str = "site", **members: Any) -> Repository:
    return Repository(application=Template(application), **members)


def conf(repositories: Mapping[str, Repository], **members: Any) -> RepositoriesConf:
    return RepositoriesConf(repositories=repositories, **{"triggers": (DEPLOY,), **members})


def texts(problems: Iterable[Problem]) -> list[tuple[str, str]]:
    return [(problem.path, problem.message) for problem in problems]


def test_what_is_wrong_with_repositories() -> None:
    known = {
        "acme/site": repository(),
        "Acme/Site": repository(),
        "ACME/site": repository(),
        "acme/\u212a": repository(),
        "acme/none": repository(triggers=()),
        "acme/own": repository(triggers=(ANNOUNCE,)),
    }
    found = conf(known, triggers=(DEPLOY, ANNOUNCE, DEPLOY), vars={"at": datetime.date(2026, 1, 2)})
    assert texts(found.ducttape_problems()) == [
        ("triggers", "the trigger `deploy` is named twice,"),
        ('vars."at"', "JSON has no date,"),
        ('repositories."acme/site"', "a repository is named twice, as `acme/site` and as `Acme/Site`, `ACME/site`,"),
        ('repositories."Acme/Site"', "a repository is named twice, as `Acme/Site` and as `acme/site`, `ACME/site`,"),
        ('repositories."ACME/site"', "a repository is named twice, as `ACME/site` and as `acme/site`, `Acme/Site`,"),
        ('repositories."acme/\u212a"', "`acme/\u212a` is not ASCII,"),
        ('repositories."acme/none"', "`acme/none` has no trigger,"),
    ]
    without = conf({"a/a": repository(), "b/b": repository(triggers=(DEPLOY,))}, triggers=())
    assert texts(without.ducttape_problems()) == [('repositories."a/a"', "`a/a` has no trigger,")]
    assert not texts(conf({"acme/site": repository()}).ducttape_problems())


def test_many_repositories_are_checked_soon() -> None:
    known = conf(dict.fromkeys((f"acme/Site-{number}" for number in range(20_000)), repository()))
    before = time.process_time()
    assert not list(known.ducttape_problems())
    assert time.process_time() - before < 2


@pytest.mark.parametrize(
    ("application", "problem"),
    [
        ("site", None),
        ("{{ repository }}", None),
        ("{% if release.draft %}x{% endif %}", None),
        ("", "'' cannot be an application: it is empty or begins or ends with a blank,"),
        ("../x", "'../x' cannot be an application: it holds a slash,"),
        ("{x}/y", "'{x}/y' cannot be an application: it holds a slash,"),
        ("x" * 300, f"{'x' * 80!r} cannot be an application: it is longer than 200 bytes,"),
    ],
)
def test_what_is_wrong_with_an_application(application: str, problem: str | None) -> None:
    expected = [("application", problem)] if problem else []
    assert texts(repository(application).ducttape_problems()) == expected


def test_what_is_wrong_with_a_repository() -> None:
    odd = repository(triggers=(DEPLOY, DEPLOY, ANNOUNCE, DEPLOY), vars={"a b": [1, {"c": float("inf")}]})
    assert texts(odd.ducttape_problems()) == [
        ("triggers", "the trigger `deploy` is named twice,"),
        ('vars."a b"[1]."c"', "JSON has no such number,"),
    ]


def test_vars_are_what_json_knows() -> None:
    fine = {"a": "x", "b": 1, "c": 1.5, "d": True, "e": ["y", {"f": []}], "ü": {}}
    assert not texts(vars_problems("vars", fine))
    odd = {"nan": float("nan"), "at": [datetime.datetime(2026, 1, 2), datetime.time(3)], "none": None}
    assert texts(vars_problems("vars", odd)) == [
        ('vars."nan"', "JSON has no such number,"),
        ('vars."at"[0]', "JSON has no datetime,"),
        ('vars."at"[1]', "JSON has no time,"),
        ('vars."none"', "JSON has no NoneType,"),
    ]


def test_an_empty_list_of_secrets_is_told() -> None:
    assert texts(secrets_problems((), "keys")) == [("keys", "`keys` is empty,")]
    assert not texts(secrets_problems((Secret("a test", b"x"),)))
