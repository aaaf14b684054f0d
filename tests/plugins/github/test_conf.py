"""The plugin's table: what is wrong is said with its place and a suggestion, before anything starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugins.conftest import Configure
    from tests.plugins.github.conftest import GitHub

HEAD = '[plugins.github]\nsecrets = [{{ file = "{folder}/secret" }}]\ntriggers = ["deploy"]\n'
SITE = '[plugins.github.repositories."acme/site"]\napplication = "site"\n'


def problems(configure: Configure, text: str) -> list[str]:
    return [str(problem) for problem in configure(text).problems]


def test_the_smallest_one(configure: Configure) -> None:
    assembly = configure(HEAD + SITE)
    assert not assembly.problems
    instance = assembly.instance("github")
    assert instance is not None
    repository = instance.config.repository("Acme/SITE")
    assert (repository.application, repository.prereleases, repository.tags) == ("site", False, ())
    assert (repository.triggers, repository.vars, repository.allow_older) == (None, None, False)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[plugins.github]\n", "the key `secrets` is missing in plugins.github"),
        ("[plugins.github]\nsecrets = []\n", "`secrets` is empty"),
        ('[plugins.github]\nsecrets = ["hunter2"]\n', "plugins.github.secrets[0]"),
        (
            '[plugins.github]\nsecrets = [{{ env = "NO_SUCH_VARIABLE" }}]\n',
            "the environment variable NO_SUCH_VARIABLE is not set, in plugins.github.secrets[0]",
        ),
        (HEAD + "repositorys = {{}}\n", "unknown key `repositorys` in plugins.github"),
        (HEAD + "repositorys = {{}}\n", "did you mean `repositories`?"),
        (HEAD.replace("deploy", "deplyo"), "did you mean `deploy`?"),
        (HEAD + SITE + "prerelease = true\n", "did you mean `prereleases`?"),
        (HEAD + SITE + 'prereleases = "no"\n', "expected true or false and not text, in plugins.github.repositories"),
        (
            HEAD + SITE + 'tags = "v*"\n',
            'expected a list and not text, in plugins.github.repositories."acme/site".tags',
        ),
        (HEAD + SITE.replace('"site"', '"../site"'), "cannot be an application"),
        (HEAD + SITE.replace('application = "site"', ""), "the key `application` is missing"),
        (HEAD + SITE.replace("acme/site", "acme"), "`acme` is not a repository, in plugins.github"),
        (HEAD + SITE.replace("acme/site", "acme"), 'write "owner/name"'),
        (HEAD + SITE.replace("acme/site", "https://github.com/acme/site"), "is not a repository"),
        (HEAD + SITE.replace("acme", "ac\\u212ae"), "is not a repository"),
        (HEAD + SITE + SITE.replace("acme", "ACME"), "a repository is named twice"),
        (HEAD.replace('"deploy"', "") + SITE, "`acme/site` has no trigger"),
        (HEAD + SITE + "triggers = []\n", "`acme/site` has no trigger"),
        (HEAD.replace('"deploy"', '"deploy", "deploy"'), "the trigger `deploy` is named twice"),
        (HEAD + SITE + 'triggers = ["deploy", "deploy"]\n', "the trigger `deploy` is named twice"),
        (HEAD + "vars = {{ since = 2026-01-01 }}\n", "`vars.since` is a date"),
        (
            HEAD + SITE + "vars = {{ a = [{{ b = 12:00:00 }}] }}\n",
            "`vars.a.b` is a time, in plugins.github.repositories",
        ),
    ],
)
def test_what_is_wrong_is_said(configure: Configure, text: str, words: str) -> None:
    found = problems(configure, text)
    assert any(words in problem for problem in found), found
    assert "hunter2" not in str(found)


def test_everything_is_said_at_once(configure: Configure) -> None:
    found = problems(configure, HEAD + "typo = 1\n" + SITE + "tags = 5\n" + SITE.replace("site", "b") + "vars = 1\n")
    assert len(found) == 3


def test_vars_may_be_whatever_json_knows(configure: Configure) -> None:
    text = 'vars = {{ a = "x", b = 1, c = 1.5, d = true, e = ["y", {{ f = [] }}] }}\n'
    assert not problems(configure, HEAD + text + SITE)


def test_a_secret_is_never_shown(github: GitHub) -> None:
    assert "Everybody" not in repr(github.conf())


def test_several_instances(configure: Configure) -> None:
    second = (
        (HEAD + SITE)
        .replace("plugins.github", "plugins.work")
        .replace("[plugins.work]\n", '[plugins.work]\nuse = "github"\n')
    )
    assembly = configure(HEAD + SITE + second.replace('"site"', '"other"'))
    assert not assembly.problems
    found = {instance.prefix: instance.config for instance in assembly.registry if instance.config and instance.routes}
    assert {prefix: conf.repositories["acme/site"].application for prefix, conf in found.items()} == {
        "/integrations/github": "site",
        "/integrations/work": "other",
    }
