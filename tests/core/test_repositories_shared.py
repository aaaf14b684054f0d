"""What the integrations of all forges share beside their decision."""

from __future__ import annotations

import pytest

from duct_tape.api import RepositoriesConf, Repository, Template, TriggerName, names_problems


def conf(*names: str) -> RepositoriesConf:
    repository = Repository(application=Template("site"))
    return RepositoriesConf(triggers=(TriggerName("deploy"),), repositories=dict.fromkeys(names, repository))


def test_only_names_of_the_senders_form_are_repositories() -> None:
    names = ["acme/site", "acme/*", "site", "https://git.example.com/acme/site"]
    problems = list(names_problems(names, r"[^/\s]+/[^/\s]+", "owner/name"))
    assert [problem.path for problem in problems] == [
        'repositories."site"',
        'repositories."https://git.example.com/acme/site"',
    ]
    assert {problem.hint for problem in problems} == {'write "owner/name"'}


@pytest.mark.parametrize(
    ("names", "asked", "configured", "message"),
    [
        (["acme/site"], "", True, "the signature is good"),
        ([], "", False, "the signature is good"),
        (["acme/*"], "Acme/Site", True, "the signature is good; of Acme/Site is deployed: release"),
        (["acme/site"], "acme/other", False, "the repository acme/other is not configured here"),
    ],
)
def test_a_pong_says_what_is_deployed(names: list[str], asked: str, configured: bool, message: str) -> None:
    pong = conf(*names).pong(asked)
    assert (pong.configured, pong.message) == (configured, message)
