"""Every block in the pages that a machine can read is read by the code that users run."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pytest
from tests.docs.support import ROOT, Block, blocks, commands, with_notify, with_rules, with_senders

from duct_tape.assembly import assemble
from duct_tape.cli import COMMANDS, group
from duct_tape.cli.check import check
from duct_tape.cli.contributed import contributed_group
from duct_tape.cli.init import starter

STRONG = "4f1d0c5a9b3e4c7d8a6f2b3c"
SIGNING = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def secrets(value: Any) -> Iterator[tuple[str, str]]:
    """Every reference to a secret in a document, as kind and name."""
    if isinstance(value, Mapping):
        if len(value) == 1 and not value.keys() - {"env", "file"}:
            ((kind, name),) = value.items()
            if isinstance(name, str):
                yield kind, name
        for item in value.values():
            yield from secrets(item)
    elif isinstance(value, list):
        for item in value:
            yield from secrets(item)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the starter configuration, and nothing of this machine's."""
    for name in ("DUCT_TAPE_ENV", "DUCT_TAPE_CONFIG", "DUCT_TAPE_BIND"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conf/secrets").mkdir(parents=True)
    (tmp_path / "conf/secrets/github").write_text(STRONG)
    (tmp_path / "conf/duct_tape.toml").write_text(starter())
    return tmp_path


def problems(place: Path, text: str, monkeypatch: pytest.MonkeyPatch, plugins: Mapping[str, Any]) -> list[str]:
    """What `duct-tape check` says of a fragment, laid over the starter configuration."""
    text = text.replace('"/', f'"{place}/')
    for kind, name in secrets(tomllib.loads(text)):
        value = "json://127.0.0.1:9/" if "url" in name.lower() else SIGNING if "signing" in name else STRONG
        value = "https://api.netlify.com/build_hooks/5f3a9c1b" if "build-hook" in name else value
        if kind == "env":
            monkeypatch.setenv(name, value)
        else:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(value)
    for trigger in tomllib.loads(text).get("triggers", {}).values():
        for program in trigger.get("command", [])[:1]:
            if program.startswith(str(place)):
                Path(program).parent.mkdir(parents=True, exist_ok=True)
                Path(program).touch(0o755)
    (place / "conf/duct_tape.page.toml").write_text(text)
    monkeypatch.setenv("DUCT_TAPE_ENV", "page")
    return [str(problem) for problem in check(assemble(None, plugins))]


def with_samples(place: Path, block: Block) -> None:
    """Write the page's first block of JSON wherever a rule of the block has its sample."""
    for instance in tomllib.loads(block.text).get("plugins", {}).values():
        for rule in instance.get("rules", {}).values():
            if "sample" in rule:
                payload = next(item.text for item in blocks("json") if item.page == block.page)
                (place / rule["sample"]).parent.mkdir(parents=True, exist_ok=True)
                (place / rule["sample"]).write_text(payload)


def module(name: str, text: str) -> types.ModuleType:
    """A block as a module."""
    made = types.ModuleType(name)
    exec(compile(text, name, "exec", dont_inherit=True), made.__dict__)  # noqa: S102 - the project's own pages
    return made


@pytest.mark.parametrize("block", [block for block in blocks("toml") if block.mark in ("", "wrong")], ids=str)
def test_toml_is_configuration(block: Block, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_samples(place, block)
    found = problems(place, block.text, monkeypatch, {})
    if block.mark == "wrong":
        # The next block shows what `duct-tape check` says of it.
        said = next(item.text for item in blocks("console") if item.page == block.page and item.line > block.line)
        shown = [f"error: {problem}".replace("duct_tape.page.toml", "duct_tape.toml") for problem in found]
        assert said.splitlines()[1:] == [*shown, f"{len(found)} problems found"]
    else:
        assert found == []


@pytest.mark.parametrize("block", [block for block in blocks("toml") if block.mark == "pyproject"], ids=str)
def test_toml_for_packaging_offers_plugins(block: Block) -> None:
    assert tomllib.loads(block.text)["project"]["entry-points"]["duct_tape.plugins"]


def test_no_toml_has_another_mark() -> None:
    marks = {block.mark.partition("=")[0] for block in blocks("toml")}
    assert marks <= {"", "wrong", "pyproject", "plugins", "file"}


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_json_is_json(block: Block) -> None:
    json.loads(block.text)


@pytest.mark.parametrize("block", [block for block in blocks("python") if not block.mark], ids=str)
def test_python_is_a_plugin_that_can_be_enabled(block: Block, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Each block is taken as it stands, so a reader can copy it; only the version is said once per page.
    plugin = module("example", block.text)
    hooks = [name for name in vars(plugin) if name.startswith("ducttape_")]
    if not hooks:
        return
    plugin.__dict__.setdefault("DUCT_TAPE_API", (1, 0))
    required = 'token = { env = "TOKEN" }' if "token: Secret" in block.text else ""
    if "class BuildServerConf" in block.text:
        required = 'secrets = [{ env = "S" }]\ntriggers = ["deploy"]'
    assert not problems(place, f"[plugins.example]\n{required}\n", monkeypatch, {"example": plugin})
    instance = assemble(None, {"example": plugin}).instance("example")
    assert instance is not None
    assert sorted(instance.hooks) == sorted(hooks)
    assert instance.on, instance.failure


CALLS = (
    # with variables before it, and with a path
    re.compile(r"^\s*(?:\w+=\S* )*(?:\S*/)?duct-tape((?: .*)?)$"),
    re.compile(r"compose exec (?:-\S+ )*duct-tape duct-tape((?: .*)?)$"),
    re.compile(r"compose run (?:(?!--entrypoint)-\S+ )*duct-tape((?: .*)?)$"),
)


def command_lines() -> list[tuple[str, str]]:
    """Every call of `duct-tape` in the pages, also inside a container."""
    found = []
    for block in blocks("console", "sh"):
        if block.page == "docs/tutorial/first-integration.md":
            continue  # Its commands are run as they stand, and one of them is the plugin's own.
        lines = commands(block.text) if block.language == "console" else block.text.splitlines()
        for line in lines:
            for part in re.split(r"&&|\|\||[|;<>]", re.sub(r"\s#.*", "", line)):
                found += [
                    (str(block), call[1].strip()) for call in (form.search(part.rstrip()) for form in CALLS) if call
                ]
    return found


@pytest.mark.parametrize(("where", "line"), command_lines())
def test_commands_exist_with_these_options(where: str, line: str, place: Path) -> None:
    with_notify(place / "conf")
    with_senders(place / "conf", "bitbucket", "gitea", "gitlab", "registry")
    with_rules(place / "conf")
    words = shlex.split(line)
    command: click.Command = group
    context = click.Context(group, info_name="duct-tape", **group.context_settings)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name = words.pop(0)
        # An example may name an instance that only its own page configures; its commands are the plugin's.
        known = "github" if isinstance(command, click.Group) and name.startswith("github-") else name
        found = (COMMANDS.get(known) and command.get_command(context, known)) or contributed(command, context, known)
        assert found, f"{where}: there is no command {name!r}"
        command, context = found, click.Context(found, parent=context, info_name=name)
    # The parser knows options and their values; whether files exist is not asked.
    values, extra, _ = command.make_parser(context).parse_args(words)
    assert not extra, f"{where}: {extra} is too much"
    for parameter in command.params:
        value = values.get(parameter.name)
        if isinstance(parameter.type, click.Choice | click.IntRange | click.FloatRange) and value is not None:
            parameter.type.convert(value, parameter, context)
        if isinstance(parameter, click.Argument) and parameter.required:
            assert value, f"{where}: {parameter.name} is missing"


def contributed(command: click.Command, context: click.Context, name: str) -> click.Command | None:
    if command is group:
        return contributed_group(name)
    return command.get_command(context, name) if isinstance(command, click.Group) else None


def test_scripts_exist() -> None:
    for block in blocks("console", "sh", "text", "yaml"):
        for name in re.findall(r"(?<![\w/])(?:\./)?(scripts/[\w./-]*\w)", block.text):
            assert (ROOT / name).exists(), f"{block}: {name}"
