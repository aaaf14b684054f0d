"""``duct-tape doctor`` asks GitHub about the webhooks; ``duct-tape check`` asks nobody."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.plugins.conftest import Configure
from tests.plugins.github.api_support import URL, Instance
from tests.plugins.github.fake_github import TOKEN, Answer, FakeGitHub

from duct_tape.api import Check, Problem
from duct_tape_github import background

if TYPE_CHECKING:
    from duct_tape.assembly import Assembly

HEAD = '[plugins.github]\nsecrets = [{{ file = "{folder}/secret" }}]\ntriggers = ["deploy"]\n'
SITE = '[plugins.github.repositories."acme/site"]\napplication = "site"\n'
PUBLIC = '[server]\npublic_url = "https://hooks.example.com"\n'
WITH_TOKEN = HEAD + 'token = {{ file = "{folder}/token" }}\n'


def examined(instance: Instance) -> dict[str, Check]:
    return {check.name: check for check in background.examine(instance.ctx)}


def test_a_webhook_that_is_well(fake: FakeGitHub) -> None:
    fake.hook("acme/site", URL)
    found = examined(Instance(fake))
    assert [(check.healthy, check.detail) for check in found.values()] == [
        (True, URL),
        (True, "its last delivery was answered 202 (OK)"),
    ]


def test_a_webhook_that_sends_no_releases(fake: FakeGitHub) -> None:
    response = {"code": 401, "status": "client error", "message": "Invalid HTTP Response: 401"}
    fake.hook("acme/site", URL, events=["push"], active=False, last_response=response)
    found = examined(Instance(fake))
    assert found["webhook of acme/site"] == Check(
        name="webhook of acme/site",
        healthy=False,
        detail="it is not active: edit it and tick *Active*; it does not send releases: edit it and select *Releases*",
    )
    assert not found["last delivery of acme/site"].healthy


def test_a_webhook_has_to_send_what_is_deployed(fake: FakeGitHub) -> None:
    fake.hook("acme/site", URL)
    kinds: dict[str, Any] = {"acme/site": {"on": ("branch", "build"), "workflows": ("CI",)}}
    check = examined(Instance(fake, repositories=kinds))["webhook of acme/site"]
    assert check.detail == (
        "it does not send pushes and workflow runs: edit it and select *Pushes* and *Workflow runs*"
    )


def test_nobody_is_asked_about_patterns(fake: FakeGitHub) -> None:
    fake.hook("acme/site", URL)
    found = examined(Instance(fake, repositories={"acme/site": {}, "acme/*": {}}))
    assert list(found) == ["webhook of acme/site", "last delivery of acme/site", "catching up with acme/*"]
    assert found["catching up with acme/*"].healthy
    assert {asked.path for asked in fake.asked} == {"/repos/acme/site/hooks"}


def test_a_webhook_that_is_not_there(fake: FakeGitHub) -> None:
    check = examined(Instance(fake))["webhook of acme/site"]
    assert not check.healthy
    assert check.detail.startswith(f"no webhook of acme/site calls {URL}: add it")


def test_a_token_that_may_not(fake: FakeGitHub) -> None:
    fake.hook("acme/site", URL)
    fake.permissions = set()
    check = examined(Instance(fake))["webhook of acme/site"]
    assert not check.healthy
    assert "it needs the permission *Webhooks: read*" in check.detail


def test_after_a_limit_nobody_else_is_asked(fake: FakeGitHub) -> None:
    fake.script["/repos/acme/site/hooks"] = [Answer(429)]
    found = examined(Instance(fake, repositories={"acme/site": {}, "acme/blog": {}}))
    assert list(found) == ["webhook of acme/site"]
    assert len(fake.asked) == 1


@pytest.mark.parametrize("reconcile", [{"enabled": False}, {"deliveries": False}])
def test_what_is_switched_off_is_not_looked_at(fake: FakeGitHub, reconcile: dict[str, Any]) -> None:
    assert examined(Instance(fake, reconcile=reconcile)) == {}
    assert fake.asked == []


def test_the_doctor_asks_through_its_hook(configure: Configure, fake: FakeGitHub, tmp_path: Path) -> None:
    fake.hook("acme/site", URL)
    (tmp_path / "token").write_text(TOKEN)
    assembly = configure(PUBLIC + WITH_TOKEN + f'api_url = "{fake.url}"\n' + SITE).require()
    assert [check.healthy for check in hook(assembly, "ducttape_doctor")] == [True, True]
    # And /readyz does not: nothing runs here.
    assert hook(assembly, "ducttape_health") == []


def test_without_a_token_the_doctor_has_nothing_to_ask(configure: Configure) -> None:
    assert hook(configure(HEAD + SITE).require(), "ducttape_doctor") == []


def hook(assembly: Assembly, name: str) -> list[Any]:
    instance = assembly.instance("github")
    assert instance is not None
    function = assembly.registry.hook(instance, name)
    assert function is not None
    return list(function())


def checked(configure: Configure, folder: Path, text: str) -> list[Problem]:
    (folder / "token").write_text(TOKEN)
    return hook(configure(text).require(), "ducttape_check")


def test_without_an_address_nobody_knows_the_webhook(configure: Configure, tmp_path: Path) -> None:
    [problem] = checked(configure, tmp_path, WITH_TOKEN + SITE)
    assert problem.message == "nobody knows which of the repository's webhooks calls this server,"
    assert problem.path == 'plugins.github.repositories."acme/site"'


@pytest.mark.parametrize(
    "text",
    [
        PUBLIC + WITH_TOKEN + SITE,
        WITH_TOKEN + SITE + "hook_id = 7\n",
        WITH_TOKEN + "reconcile.deliveries = false\n" + SITE,
        WITH_TOKEN + "reconcile.enabled = false\ndeployments = true\n" + SITE,
    ],
)
def test_nothing_to_complain_about(configure: Configure, tmp_path: Path, text: str) -> None:
    assert checked(configure, tmp_path, text) == []


@pytest.mark.parametrize(
    ("days", "text", "good"),
    [
        (2, PUBLIC + WITH_TOKEN, False),
        (3, PUBLIC + WITH_TOKEN, True),
        (2, PUBLIC + WITH_TOKEN + "reconcile.look_back = 172800.0\n", True),
        (2, WITH_TOKEN + "reconcile.enabled = false\n", True),
        (2, HEAD, True),
    ],
)
def test_runs_are_remembered_for_as_long_as_releases_are_looked_for(
    configure: Configure, tmp_path: Path, days: int, text: str, good: bool
) -> None:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d/journal.toml").write_text(f"[journal]\nkeep_days = {days}\n")
    found = [str(problem) for problem in checked(configure, tmp_path, text + SITE)]
    sentence = (
        "`look_back` is 259200 seconds, and runs are forgotten after 172800, so what was done could be done again, "
        "in plugins.github.reconcile.look_back; let it be shorter, or `keep_days` under [journal] larger"
    )
    assert found == ([] if good else [sentence])


@pytest.mark.parametrize("key", ["environment", "log_url", "environment_url"])
def test_templates_of_deployments_are_tried(configure: Configure, tmp_path: Path, key: str) -> None:
    template = f"{key} = 'https://{{{{{{{{ vars.colour }}}}}}}}'\n"
    text = PUBLIC + WITH_TOKEN + "deployments = true\n" + template
    [problem] = checked(configure, tmp_path, text + SITE)
    assert problem.message.startswith(f"a deployment would have no `{key}`: template 'https://{{{{ vars.colour }}}}'")
    assert checked(configure, tmp_path, text + SITE + 'vars = {{ colour = "red" }}\n') == []


def test_templates_of_deployments_are_tried_for_every_kind_and_pattern(configure: Configure, tmp_path: Path) -> None:
    text = PUBLIC + WITH_TOKEN + 'deployments = true\nlog_url = "https://{{{{{{{{ payload.release.body }}}}}}}}"\n'
    pattern = text.replace("{{{{{{{{", "{{{{").replace("}}}}}}}}", "}}}}") + SITE.replace("acme/site", "acme/*")
    assert checked(configure, tmp_path, pattern.replace("body", "html_url")) == []
    [problem] = checked(configure, tmp_path, pattern + 'on = ["branch", "tag"]\n')
    assert (problem.path, "no `log_url`" in problem.message) == ('plugins.github.repositories."acme/*"', True)
    # An application that cannot be named is told elsewhere.
    nameless = pattern.replace('"site"', '"{{{{ vars.x }}}}"')
    assert checked(configure, tmp_path, nameless + 'on = ["branch"]\n') == []


def problems(configure: Configure, text: str) -> list[str]:
    return [str(problem) for problem in configure(text).problems]


def test_a_token_is_one_line(configure: Configure, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("github_pat_1\r\nX-Evil: 1")
    [problem] = problems(configure, WITH_TOKEN + SITE)
    assert "holds no token of GitHub's, in plugins.github.token" in problem
    assert "Evil" not in problem


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://api.github.com", True),
        ("https://github.example.com/api/v3", True),
        ("http://127.0.0.1:8000", True),
        ("http://localhost", True),
        ("http://[::1]:8000", True),
        ("http://api.github.com", False),
        ("http://127.evil.example", False),
        ("https://user:password@github.example.com", False),
        ("https://github.example.com?x", False),
        ("https://", False),
        ("https://[", False),
        ("https://a:b", False),
        ("https://a b", False),
        ("ftp://127.0.0.1", False),
    ],
)
def test_a_token_travels_over_tls_or_not_at_all(configure: Configure, tmp_path: Path, url: str, good: bool) -> None:
    (tmp_path / "token").write_text(TOKEN)
    found = problems(configure, WITH_TOKEN + f'api_url = "{url}"\n' + SITE)
    assert (found == []) is good
    assert all("`api_url` is no https address, in plugins.github.api_url" in problem for problem in found)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("deployments = true", "`deployments` needs a `token`,"),
        ("reconcile.interval = 5.0", "`interval` is less than 60 seconds, in plugins.github.reconcile.interval"),
        ("reconcile.interval = inf", "`interval` is less than 60 seconds,"),
        ("reconcile.look_back = 0.0", "`look_back` is not between 0 and 30 days,"),
        ("reconcile.look_back = nan", "`look_back` is not between 0 and 30 days,"),
        ("reconcile.intervall = 900.0", "did you mean `interval`?"),
    ],
)
def test_settings_that_cannot_be_meant(configure: Configure, setting: str, words: str) -> None:
    [problem] = problems(configure, f"{HEAD}{setting}\n{SITE}")
    assert words in problem
