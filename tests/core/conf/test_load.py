"""The core's sections, and every problem of a configuration at once, in exact words."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from duct_tape.conf.load import load
from duct_tape.conf.model import PluginTable, TriggerTable
from duct_tape.conf.sources import dotted, read

Write = Callable[..., Path]
Problems = Callable[[str], list[str]]

SAMPLES = Path(__file__).parent


def test_everything_is_reported_at_once(problems: Problems, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMPTY", " ")
    monkeypatch.setenv("PLACE", "changeme")
    found = problems((SAMPLES / "faults.toml").read_text("utf-8"))
    # Without the file, which is the same in each of them: between the place and the hint.
    expected = (SAMPLES / "faults.txt").read_text("utf-8").splitlines()
    assert [text.replace(" (conf/duct_tape.toml)", "") for text in found] == expected
    assert all(" (conf/duct_tape.toml)" in text for text in found)


def test_the_message_of_a_typo_is_complete(problems: Problems) -> None:
    assert problems('[plugins.github]\nsecrets = [{ env = "HOOK_SECRET" }]\nsecrect = "x"\n') == [
        "unknown key `secrect` in plugins.github (conf/duct_tape.toml); did you mean `secrets`?"
    ]


def test_the_file_is_the_one_that_holds_the_key(problems: Problems, write: Write) -> None:
    write('[volume]\npaht = "x"\n', "conf/conf.d/10.toml")
    write('[nonsense]\n[plugins.github]\nsecrets = []\n[plugins."Bad Name"]\n', "conf/conf.d/20.toml")
    found = problems("[volume]\npath = 1\n")
    assert [text.partition("(")[2].partition(")")[0] for text in found] == [
        "conf/conf.d/20.toml",
        "conf/conf.d/20.toml",
        "conf/duct_tape.toml",
        "conf/conf.d/10.toml",
        "conf/conf.d/20.toml",
    ]


@pytest.mark.parametrize("section", ["triggers", "plugins"])
@pytest.mark.parametrize(("value", "kind"), [('"x"', "text"), ("[]", "a list"), ("1", "a whole number")])
def test_a_section_is_a_table(problems: Problems, section: str, value: str, kind: str) -> None:
    expected = f"expected a table and not {kind}, in {section} (conf/duct_tape.toml)"
    assert problems(f"{section} = {value}\n") == [expected]


@pytest.mark.parametrize("name", ["Bad", "a b", "-a", "a/b", "..", "ü", "x" * 64])
def test_an_instance_is_part_of_a_url(problems: Problems, name: str) -> None:
    (text,) = problems(f'[plugins."{name}"]\nuse = "touch-file"\n')
    message = "cannot be the name of an instance, since it becomes part of a URL,"
    assert text.startswith(f"`{name}` {message} in {dotted(('plugins', name))} (")


def test_tables_of_triggers_and_plugins(write: Write) -> None:
    write(
        '[triggers.deploy]\naction = "touch-file"\nfilename = "x"\n'
        '[plugins.gh-1]\nuse = "github"\nsecrets = []\n[plugins.touch-file]\n'
    )
    configuration, problems = load(read(environ={}))
    assert problems == []
    assert configuration.triggers == (TriggerTable(name="deploy", action="touch-file", data={"filename": "x"}),)
    assert configuration.plugins == (
        PluginTable(instance="gh-1", plugin="github", data={"secrets": []}),
        PluginTable(instance="touch-file", plugin="touch-file", data={}),
    )
    # Reading takes nothing away from what other readers see.
    assert configuration.sources.data["plugins"]["gh-1"]["use"] == "github"
    assert configuration.sources.data["triggers"]["deploy"]["action"] == "touch-file"


def test_an_empty_file_is_a_configuration(problems: Problems) -> None:
    assert problems("") == []


@pytest.mark.parametrize("bind", ["foo", "1.2.3.4:1, foo", "foo, [::1]:2"])
def test_the_address_of_the_environment_is_looked_at(
    problems: Problems, monkeypatch: pytest.MonkeyPatch, bind: str
) -> None:
    monkeypatch.setenv("DUCT_TAPE_BIND", bind)
    message = "'foo' is not an address such as '127.0.0.1:9000' or 'unix:/run/duct-tape.sock'"
    assert problems("") == [f"{message}, in the environment variable DUCT_TAPE_BIND"]
    assert problems('[server]\nbind = ["127.0.0.1:9000"]\n') == []


def test_a_trigger_that_is_not_there(problems: Problems) -> None:
    text = '[plugins.github]\nsecrets = [{ env = "HOOK_SECRET" }]\ntriggers = ["deplyo"]\n'
    assert problems(text) == [
        "there is no trigger `deplyo` (there are: none), in plugins.github.triggers[0] (conf/duct_tape.toml)"
    ]
    trigger = '[plugins.touch-file]\n[triggers.deploy]\naction = "touch-file"\n'
    assert problems(trigger + text) == [
        "there is no trigger `deplyo` (there are: deploy), in plugins.github.triggers[0] (conf/duct_tape.toml); "
        "did you mean `deploy`?"
    ]


def test_an_action_and_a_plugin_that_are_not_there(problems: Problems) -> None:
    installed = ", ".join(sorted(entry_points(group="duct_tape.plugins").names))
    assert problems('[plugins.x]\n[triggers.a]\naction = "touch-file"\n') == [
        f"no plugin `x` is installed, in plugins.x (conf/duct_tape.toml); installed: {installed}",
        "there is no action `touch-file`, in triggers.a.action (conf/duct_tape.toml); enabled plugins offer: none",
    ]


def test_a_trigger_that_is_wrong_itself_is_there(problems: Problems) -> None:
    text = '[plugins.github]\nsecrets = [{ env = "HOOK_SECRET" }]\ntriggers = ["deploy"]\n[triggers.deploy]\n'
    assert problems(text) == [
        'the key `action` is missing in triggers.deploy (conf/duct_tape.toml); for instance action = "touch-file"'
    ]


@pytest.mark.parametrize(
    ("server", "admin", "wrong"),
    [
        (["127.0.0.1:9000"], ["127.0.0.1:9000"], "admin"),
        (["127.0.0.1:9000"], ["localhost:09000"], "admin"),
        (["0.0.0.0:9000"], ["127.0.0.1:9000"], "admin"),
        (["127.0.0.1:9000"], ["0.0.0.0:9000"], "admin"),
        (["[::]:9000"], ["127.0.0.1:9000"], "admin"),
        (["[::]:9000"], ["[::1]:9000"], "admin"),
        (["unix:/run/a"], ["unix:/run/a"], "admin"),
        (["127.0.0.1:1", "127.0.0.1:1"], ["127.0.0.1:2"], "server"),
        (["127.0.0.1:9000"], ["127.0.0.1:9001"], ""),
        (["127.0.0.1:9000"], ["127.0.0.2:9000"], ""),
        (["0.0.0.0:9000"], ["[::1]:9000"], ""),
        (["127.0.0.1:0"], ["127.0.0.1:0"], ""),
        (["unix:/run/a"], ["unix:/run/b"], ""),
        (["unix:/run/a"], ["127.0.0.1:1"], ""),
    ],
)
def test_two_sockets_need_two_addresses(problems: Problems, server: list[str], admin: list[str], wrong: str) -> None:
    found = problems(f'[server]\nbind = {server}\n[admin]\nbind = {admin}\ntoken = {{ env = "HOOK_SECRET" }}\n')
    text = (
        f"`{(admin if wrong == 'admin' else server)[-1]}` is taken by `{server[0]}` of `server.bind`, in {wrong}.bind"
    )
    assert found == ([f"{text} (conf/duct_tape.toml); give each socket a port of its own"] if wrong else [])


def test_the_journal_is_a_file_outside_the_volume(problems: Problems, folder: Path) -> None:
    (folder / "conf").mkdir()
    (folder / "link").symlink_to("shared_volume")
    inside = (
        "the journal would be in the shared volume, where every file is a flag, in journal.path (conf/duct_tape.toml); "
        'keep it elsewhere, for instance path = "var/journal.sqlite3"'
    )
    for path in ("shared_volume", "shared_volume/j.sqlite3", "link/deep/j.sqlite3", "./x/../shared_volume/j"):
        assert problems(f'[journal]\npath = "{path}"\n') == [inside]
    is_folder = "conf is a folder, in journal.path (conf/duct_tape.toml); name a file in it"
    assert problems('[journal]\npath = "conf"\n') == [is_folder]
    assert problems('[journal]\npath = "shared_volume.sqlite3"\n') == []


@pytest.mark.parametrize("url", ["hooks.example.com", "ftp://a.example", "https://", "https://a b", "https://a?x=1"])
def test_the_public_url_is_one(problems: Problems, url: str) -> None:
    assert problems(f'[server]\npublic_url = "{url}"\n') == [
        f"{url!r} is not a URL such as 'https://hooks.example.com', in server.public_url (conf/duct_tape.toml)"
    ]
