"""The hooks: one route, and a check that renders every template by the code that serves them."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from duct_tape.api import Problem, matching
from duct_tape.senders import problems_of
from duct_tape_github.sample import release_payload

if TYPE_CHECKING:
    from tests.plugins.conftest import Configure, Start

HEAD = '[plugins.github]\nsecrets = [{{ file = "{folder}/secret" }}]\ntriggers = ["deploy"]\n'
SITE = '[plugins.github.repositories."acme/site"]\napplication = "site"\n'
BLOG = '[plugins.github.repositories."acme/blog"]\napplication = "blog"\n'


def checked(configure: Configure, text: str) -> list[Problem]:
    assembly = configure(text).require()
    instance = assembly.instance("github")
    assert instance is not None
    hook = assembly.registry.hook(instance, "ducttape_check")
    assert hook is not None
    return [*problems_of(assembly, instance), *hook()]


def trigger(name: str, template: str) -> str:
    braces = template.replace("{", "{{").replace("}", "}}")
    return f"[triggers.{name}]\naction = \"touch-file\"\nfilename = '{braces}'\n"


def test_the_one_route_is_the_instance_itself(configure: Configure) -> None:
    assembly = configure(HEAD + SITE).require()
    instance = assembly.instance("github")
    assert instance is not None
    assert [(route.path, route.methods) for route in instance.routes] == [("/", {"POST"})]


def test_nothing_to_complain_about(configure: Configure) -> None:
    text = trigger("tagged", "{{ application }}--{{ release.tag | filename }}-{{ vars.colour }}")
    assert not checked(
        configure, text + HEAD + 'vars = {{ colour = "red" }}\n' + SITE + 'triggers = ["tagged"]\n' + BLOG
    )


def test_no_repository_is_no_problem(configure: Configure) -> None:
    assert not checked(configure, HEAD)


def test_a_problem_names_repository_trigger_and_variable(configure: Configure) -> None:
    text = trigger("painted", "{{ application }}-{{ vars.colour }}") + HEAD + SITE + BLOG
    problems = checked(configure, text + 'triggers = ["deploy", "painted"]\n')
    assert problems == [
        Problem(
            message="a release would fail in trigger `painted`: template '{{ application }}-{{ vars.colour }}': "
            "there is no value for 'colour',",
            path='plugins.github.repositories."acme/blog"',
        )
    ]


def test_every_repository_is_rendered_with_its_own_vars(configure: Configure) -> None:
    text = trigger("painted", "{{ vars.colour }}") + HEAD.replace("deploy", "painted") + 'vars = {{ colour = "red" }}\n'
    assert not checked(configure, text + SITE + BLOG)
    [problem] = checked(configure, text + SITE + 'vars = {{ color = "red" }}\n' + BLOG)
    assert problem.path == 'plugins.github.repositories."acme/site"'


def test_an_unsafe_name_is_a_problem(configure: Configure) -> None:
    [problem] = checked(configure, trigger("bad", "{{ repository }}") + HEAD + SITE + 'triggers = ["bad"]\n')
    assert "'acme/site' is not a safe file name: it holds a slash" in problem.message


PATTERNS = ["v*", "v[0-9]*", "v[0-9].[0-9]*", "*-*-*", "v?.?", "[!v]*", "*", "release/[]a]*", "[x", "v1.0.0", "?", "**"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_sample_tag_matches_its_pattern(pattern: str) -> None:
    assert fnmatchcase(matching(pattern), pattern)


@pytest.mark.parametrize("pattern", [*PATTERNS, "", "[!x]", "[!", "[]", "[[]]", "[]]"])
def test_templates_are_rendered_whatever_the_pattern(configure: Configure, pattern: str) -> None:
    text = trigger("painted", "{{ vars.colour }}") + HEAD + SITE + f'triggers = ["painted"]\ntags = ["{pattern}"]\n'
    [problem] = checked(configure, text)
    assert "there is no value for 'colour'" in problem.message


def test_a_template_that_only_prereleases_break(configure: Configure) -> None:
    text = trigger("rc", "{% if release.prerelease %}{{ vars.channel }}{% else %}x{% endif %}")
    assert not checked(configure, text + HEAD + SITE + 'triggers = ["rc"]\n')
    [problem] = checked(configure, text + HEAD + SITE + 'triggers = ["rc"]\nprereleases = true\n')
    assert "channel" in problem.message


@pytest.mark.parametrize(
    ("template", "nulls"),
    [
        ("{{ release.name | filename }}", {"name": "name"}),
        ("{{ release.name }}{{ release.author }}", {"name": "name", "author": "author"}),
        ("{{ release.name | default(release.author) }}", {"name and author and body": "author"}),
    ],
)
def test_a_template_that_fails_where_github_sends_null(
    configure: Configure, template: str, nulls: dict[str, str]
) -> None:
    text = trigger("named", template) + HEAD.replace("deploy", "named") + SITE + "prereleases = true\n"
    assert checked(configure, text) == [
        Problem(
            message=f"a release without {null} would fail in trigger `named`: template {template!r}: "
            f"there is no value for {missing!r},",
            path='plugins.github.repositories."acme/site"',
            hint='GitHub sends null there: use `| default("…")`',
        )
        for null, missing in nulls.items()
    ]


def test_every_kind_of_release_fails_with_its_own_words(configure: Configure) -> None:
    text = trigger("rc", "{% if release.prerelease %}{{ vars.x }}{% else %}{{ vars.y }}{{ release.name }}{% endif %}")
    problems = checked(configure, text + HEAD.replace("deploy", "rc") + SITE + "prereleases = true\n")
    assert ["'x'" in problem.message for problem in problems] == [False, True]


@pytest.mark.parametrize(
    "key", ["release.name", "release.author", "payload.release.author.login", "payload.release.body"]
)
def test_a_default_is_the_way_out(configure: Configure, key: str) -> None:
    text = HEAD.replace("deploy", "named") + SITE
    assert checked(configure, trigger("named", f"x{{{{ {key} }}}}") + text)
    assert not checked(configure, trigger("named", f'x{{{{ {key} | default("y") }}}}') + text)


def test_where_no_release_is_deployed_none_is_tried(configure: Configure) -> None:
    text = trigger("named", "x{{ release.name }}{{ payload.ref | filename }}") + HEAD.replace("deploy", "named") + SITE
    assert not checked(configure, text + 'on = ["branch", "tag"]\nbranches = ["release/*"]\n')
    [problem] = checked(configure, text + 'on = ["build"]\nworkflows = ["CI"]\n')
    assert "a build would fail in trigger `named`" in problem.message


def test_one_problem_is_told_once(configure: Configure) -> None:
    text = trigger("bad", "{{ vars.x }}") + HEAD + SITE + 'triggers = ["bad"]\nprereleases = true\ntags = ["a", "b"]\n'
    assert len(checked(configure, text)) == 1


def test_instances_answer_to_their_own_secrets(start: Start, tmp_path: Path) -> None:
    (tmp_path / "second").write_bytes(b"another secret of this test")
    work = '[plugins.work]\nuse = "github"\nsecrets = [{{ file = "{folder}/second" }}]\ntriggers = ["deploy"]\n'
    server = start(HEAD + SITE + work + '[plugins.work.repositories."acme/site"]\napplication = "work"\n')
    payload = release_payload("acme/site")
    assert server.post(payload).status_code == 202
    assert server.post(payload, instance="work").status_code == 401
    assert server.post(payload, secret=b"another secret of this test").status_code == 401
    assert server.post(payload, secret=b"another secret of this test", instance="work").status_code == 202
    assert [(run.instance, run.application) for run in server.runs()] == [("github", "site"), ("work", "work")]
