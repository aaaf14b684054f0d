"""The plugin's table: what is wrong is said with its place and a suggestion, before anything starts."""

from __future__ import annotations

from pathlib import Path
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
    assert (repository.application.source, repository.prereleases, repository.tags) == ("site", False, ())
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
        (HEAD + SITE.replace("acme/site", "acme"), "`acme` is not a repository, in plugins.github.repositories.acme ("),
        (HEAD + SITE.replace("acme/site", "acme"), 'write "owner/name"'),
        (HEAD + SITE.replace("acme/site", "https://github.com/acme/site"), "is not a repository"),
        (HEAD + SITE.replace("acme", "ac\\u212ae"), "is not a repository"),
        (HEAD + SITE + SITE.replace("acme", "ACME"), "a repository is named twice"),
        (HEAD.replace('"deploy"', "") + SITE, "`acme/site` has no trigger"),
        (HEAD + SITE + "triggers = []\n", "`acme/site` has no trigger"),
        (HEAD.replace('"deploy"', '"deploy", "deploy"'), "the trigger `deploy` is named twice"),
        (HEAD + SITE + 'triggers = ["deploy", "deploy"]\n', "the trigger `deploy` is named twice"),
        (HEAD + "vars = {{ since = 2026-01-01 }}\n", "JSON has no date, in plugins.github.vars.since ("),
        (
            HEAD + SITE + "vars = {{ a = [{{ b = 12:00:00 }}] }}\n",
            'JSON has no time, in plugins.github.repositories."acme/site".vars.a[0].b (',
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


WRONG_NAMES = """
[plugins.github.repositories.hello]
application = "a"
[plugins.github.repositories."a/b/"]
application = "b"
[plugins.github.repositories."https://github.com/a/c.git"]
application = "c"
[plugins.github.repositories."Example/Hello"]
application = "d"
vars = {{ since = 2026-01-01, "a key" = [1.0, inf] }}
[plugins.github.repositories."x/y"]
application = "e"
triggers = []
[plugins.github.repositories."x/z"]
application = "f"
triggers = ["deploy", "deploy"]
"""
TOLD = [
    '`hello` is not a repository, in plugins.github.repositories.hello (a.toml); write "owner/name"',
    '`a/b/` is not a repository, in plugins.github.repositories."a/b/" (a.toml); write "a/b"',
    "`https://github.com/a/c.git` is not a repository, in "
    'plugins.github.repositories."https://github.com/a/c.git" (a.toml); write "a/c"',
    "a repository is named twice, as `Example/Hello` and as `example/hello`, in "
    'plugins.github.repositories."Example/Hello" (a.toml); upper and lower case are the same in its name',
    '`x/y` has no trigger, in plugins.github.repositories."x/y" (a.toml); set `triggers` there or for all repositories',
    "a repository is named twice, as `example/hello` and as `Example/Hello`, in "
    'plugins.github.repositories."example/hello" (duct_tape.toml); upper and lower case are the same in its name',
    'JSON has no date, in plugins.github.repositories."Example/Hello".vars.since (a.toml); write it as text, in quotes',
    'JSON has no such number, in plugins.github.repositories."Example/Hello".vars."a key"[1] (a.toml); '
    "write it as text, in quotes",
    'the trigger `deploy` is named twice, in plugins.github.repositories."x/z".triggers (a.toml); '
    "one release would be deployed twice",
]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("", []),
        # Whatever else is wrong with the table.
        ("typo = 1\n", ["unknown key `typo` in"]),
        (
            '[plugins.github.repositories."b/b"]\nvars = 1\n',
            ["the key `application` is missing in", "expected a table"],
        ),
        ('[plugins.github.repositories."b/b"]\napplication = "../x"\n', ["'../x' cannot be an application"]),
    ],
)
def test_every_mistake_is_told_with_its_own_key_and_file(
    configure: Configure, tmp_path: Path, more: str, told: list[str]
) -> None:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d/a.toml").write_text(WRONG_NAMES.replace("{{", "{").replace("}}", "}"))
    found = problems(configure, HEAD + more + SITE.replace("acme/site", "example/hello"))
    texts = [text.replace(f"{tmp_path}/conf.d/", "").replace(f"{tmp_path}/", "") for text in found]
    others = [text for text in texts if text not in TOLD]
    assert sorted(text for text in texts if text in TOLD) == sorted(TOLD)
    assert [text[: len(start)] for text, start in zip(others, told, strict=True)] == told


def test_a_secret_that_is_not_there_hides_nothing(configure: Configure) -> None:
    head = HEAD.replace("{folder}/secret", "{folder}/nothing").replace('"deploy"', '"deploy", "deplyo"')
    found = problems(configure, head + SITE.replace("acme/site", "acme"))
    assert len(found) == 3
    assert "there is no trigger `deplyo`" in found[0]
    assert "cannot be read (No such file or directory)" in found[1]
    assert "`acme` is not a repository" in found[2]


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
    assert {prefix: conf.repositories["acme/site"].application.source for prefix, conf in found.items()} == {
        "/integrations/github": "site",
        "/integrations/work": "other",
    }
