"""``duct-tape check``: every problem at once, and silence about secrets."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

from duct_tape.runs import Outcome, Run
from duct_tape.triggers import Action

Cli = Callable[..., Any]
Configure = Callable[..., Path]
Offer = Callable[..., None]


def test_a_good_configuration(cli: Cli, configure: Configure) -> None:
    configure()
    ended = cli("check")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (
        "conf/duct_tape.toml is fine (plugins: touch-file, github; triggers: deploy)\n"
        "github: acme/site → site.example.com by deploy\n"
    )
    run = {"instance": "github", "repository": "acme/site", "application": "site.example.com", "trigger": "deploy"}
    assert json.loads(cli("check", "--json").out) == {"problems": [], "warnings": [], "runs": [run]}


def test_an_empty_configuration(cli: Cli, configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    configure("", "other.toml")
    monkeypatch.setenv("DUCT_TAPE_CONFIG", "other.toml")
    assert cli("check").out == "other.toml is fine (plugins: none; triggers: none)\n"


def test_no_configuration(cli: Cli) -> None:
    ended = cli("check", "--config", "x.toml")
    assert ended.code == 1
    assert ended.out == (
        "error: there is no configuration file x.toml; `duct-tape init` writes one; "
        "--config or DUCT_TAPE_CONFIG point elsewhere\n1 problem found\n"
    )


def test_every_problem_at_once(cli: Cli, configure: Configure) -> None:
    configure("[server]\nbnid = 1\n[plugins.github]\nsecrets = []\n")
    ended = cli("check")
    assert (ended.code, ended.err) == (1, "")
    assert ended.out.splitlines() == [
        "error: unknown key `bnid` in server (conf/duct_tape.toml); did you mean `bind`?",
        "error: `secrets` is empty, in plugins.github.secrets (conf/duct_tape.toml); without a secret nobody could "
        "tell GitHub from a stranger",
        "2 problems found",
    ]
    ended = cli("check", "--json")
    assert ended.code == 1
    assert json.loads(ended.out)["problems"][0] == {
        "message": "unknown key `bnid`",
        "path": "server",
        "file": "conf/duct_tape.toml",
        "hint": "did you mean `bind`?",
    }


def test_templates_are_rendered_for_every_repository(cli: Cli, configure: Configure) -> None:
    path = configure()
    path.write_text(path.read_text().replace('"touch-file"\n', '"touch-file"\nfilename = "{{ vars.file_name }}"\n'))
    ended = cli("check")
    assert ended.code == 1
    assert ended.out.splitlines()[0] == (
        "error: a release would fail in trigger `deploy`: template '{{ vars.file_name }}': there is no value for "
        "'file_name', in plugins.github.repositories.\"acme/site\" (conf/duct_tape.toml)"
    )


def test_a_trigger_that_nothing_uses_is_rendered_too_in_the_order_of_the_file(cli: Cli, configure: Configure) -> None:
    names = "zeta alpha mu beta omega".split()
    triggers = "".join(f'[triggers.{name}]\naction = "touch-file"\nfilename = "{{{{ nope }}}}"\n' for name in names)
    configure(f'[plugins.touch-file]\n{triggers}[triggers.good]\naction = "touch-file"\n')
    ended = cli("check")
    assert ended.out.splitlines() == [
        *(
            f"error: the trigger cannot be used: template '{{{{ nope }}}}': 'nope' is undefined, in triggers.{name} "
            "(conf/duct_tape.toml); no integration uses this trigger, so it was tried without vars and payload"
            for name in names
        ),
        "5 problems found",
    ]


def test_a_trigger_that_an_integration_uses_is_tried_once(cli: Cli, configure: Configure) -> None:
    path = configure()
    path.write_text(path.read_text().replace('"touch-file"\n', '"touch-file"\nfilename = "{{ vars.x }}"\n'))
    with path.open("a") as file:
        file.write('vars = { x = "y" }\n')
    assert cli("check").code == 0


def explodes() -> None:
    raise RuntimeError("boom\nmore")


def no_commands() -> Iterable[Any]:
    return [1]


def no_problems() -> Iterable[Any]:
    return ["a text"]


@pytest.mark.parametrize(
    ("hooks", "text"),
    [
        (
            {"setup": explodes},
            "the plugin is off: setup: RuntimeError: boom, in plugins.x (conf/duct_tape.toml); it is object 0",
        ),
        (
            {"commands": no_commands},
            "the plugin failed to offer its commands: int is not a click command, in plugins.x (conf/duct_tape.toml)",
        ),
        ({"check": explodes}, "the plugin's own check failed: RuntimeError: boom, in plugins.x (conf/duct_tape.toml)"),
        (
            {"check": no_problems},
            "the plugin's own check returned something else than problems, in plugins.x (conf/duct_tape.toml)",
        ),
    ],
)
def test_a_plugin_that_fails_is_a_problem(
    cli: Cli, configure: Configure, offer: Offer, hooks: dict[str, Any], text: str
) -> None:
    offer(**hooks)
    configure("[plugins.x]\n[plugins.touch-file]\n")
    ended = cli("check")
    assert (ended.code, ended.err) == (1, "")
    assert ended.out == f"error: {text}\n1 problem found\n"


def test_messages_for_machines_end_without_a_comma(cli: Cli, configure: Configure) -> None:
    configure('[log]\nlevel = "loud"\n[plugins.github]\nsecrets = []\n')
    assert [problem["message"] for problem in json.loads(cli("check", "--json").out)["problems"]] == [
        'expected one of "debug", "info", "warning", "error"',
        "`secrets` is empty",
    ]


@pytest.mark.parametrize("wrong", ['filename = "{{"', "colour = 1", 'filename = "{{ a | uper }}"'])
def test_what_only_follows_from_another_problem_is_not_told(cli: Cli, configure: Configure, wrong: str) -> None:
    path = configure()
    path.write_text(path.read_text().replace('"touch-file"\n', f'"touch-file"\n{wrong}\n'))
    ended = cli("check")
    assert ended.out.count("error: ") == 1
    assert "triggers.deploy" in ended.out


def test_a_trigger_of_a_plugin_that_is_off_is_not_told(cli: Cli, configure: Configure, offer: Offer) -> None:
    offer(actions=explodes)
    path = configure()
    path.write_text(path.read_text().replace("[plugins.touch-file]", "[plugins.x]"))
    ended = cli("check")
    assert ended.out.count("error: ") == 1
    assert "the plugin is off: actions: RuntimeError: boom" in ended.out


def test_a_problem_of_an_integration_is_told_with_the_file_of_its_key(cli: Cli, configure: Configure) -> None:
    path = configure()
    path.write_text(path.read_text().replace('"touch-file"\n', '"touch-file"\nfilename = "{{ vars.x }}"\n'))
    configure('[plugins.github.repositories."acme/blog"]\napplication = "blog"\n', "conf/conf.d/a.toml")
    assert [line.partition("in plugins.")[2] for line in cli("check").out.splitlines()[:2]] == [
        'github.repositories."acme/site" (conf/duct_tape.toml)',
        'github.repositories."acme/blog" (conf/conf.d/a.toml)',
    ]


@attrs.frozen
class Settings:
    """None."""


def test_an_action_that_fails_in_its_preview_is_a_problem(cli: Cli, configure: Configure, offer: Offer) -> None:
    async def perform(run: Run, settings: Settings) -> Outcome:
        return Outcome()

    def preview(run: Run, settings: Settings) -> Mapping[str, str]:
        raise KeyError("boom")

    def actions() -> Mapping[str, Action[Any]]:
        return {"act": Action(settings=Settings, perform=perform, preview=preview)}

    offer(actions=actions)
    configure('[plugins.x]\n[triggers.a]\naction = "act"\n')
    ended = cli("check")
    assert ended.code == 1
    assert ended.out.startswith("error: the trigger cannot be used: ")
    assert "KeyError: 'boom'" in ended.out
    assert ", in triggers.a (conf/duct_tape.toml); " in ended.out


SECRET = "hunter2-0123456789abcdef0123456789abcdef"


def explained(cli: Cli) -> dict[str, dict[str, str]]:
    return {row["key"]: row for row in json.loads(cli("check", "--explain", "--json").out)["settings"]}


def test_every_setting_is_explained(cli: Cli, configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    path = configure()
    drop_in = path.parent / "conf.d" / "more.toml"
    drop_in.parent.mkdir()
    drop_in.write_text('[server]\nmax_body = 1000\ntrusted_proxies = ["10.0.0.0/8"]\n')
    monkeypatch.setenv("DUCT_TAPE_BIND", "127.0.0.1:9999,unix:/x")
    rows = explained(cli)
    assert rows["server.max_body"] == {
        "key": "server.max_body",
        "value": "1000",
        "source": "conf/conf.d/more.toml",
        "meaning": "Largest request body in bytes. GitHub sends at most 25 MB.",
    }
    told = {key: (row["value"], row["source"]) for key, row in rows.items()}
    assert told["server.trusted_proxies"] == ('["10.0.0.0/8"]', "conf/conf.d/more.toml")
    assert told["server.bind"] == ('["127.0.0.1:9999", "unix:/x"]', "environment variable DUCT_TAPE_BIND")
    assert told["server.public_url"] == ("none", "default")
    assert told["triggers.deploy.action"] == ('"touch-file"', "conf/duct_tape.toml")
    assert told["plugins.github.use"] == ('"github"', "default")
    assert told["plugins.github.allow_from"] == ("none", "default")
    assert told['plugins.github.repositories."acme/site".application'] == (
        '"site.example.com"', "conf/duct_tape.toml",
    )  # fmt: skip
    assert told['plugins.github.repositories."acme/site".prereleases'] == ("false", "default")
    assert all(row["meaning"] for row in rows.values())


def test_of_secrets_only_the_place_is_told(cli: Cli, configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    configure()
    told = explained(cli)["plugins.github.secrets"]
    assert told["value"].startswith("[(hidden: ")
    for output in (cli("check", "--explain").out, json.dumps(told)):
        assert "hidden" in output
        assert SECRET not in output


def test_the_table_has_a_line_for_each_setting(cli: Cli, configure: Configure) -> None:
    configure("")
    lines = cli("check", "--explain").out.splitlines()
    assert lines[0].split() == ["KEY", "VALUE", "SOURCE", "MEANING"]
    assert any(line.startswith("journal.path") and " default " in line for line in lines)


def test_what_is_wrong_is_told_instead(cli: Cli, configure: Configure) -> None:
    configure("[server]\nbnid = 1\n")
    ended = cli("check", "--explain")
    assert ended.code == 1
    assert ended.out.startswith("error: unknown key `bnid`")
    assert "settings" not in json.loads(cli("check", "--explain", "--json").out)
