"""The reference pages say what the code says."""

from __future__ import annotations

import importlib
import inspect
import re
import typing
from enum import Enum
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner
from tests.docs.support import DOCS, ROOT, after, blocks, hold, page, rows, with_notify

from duct_tape import api, payload, templates
from duct_tape.assembly import assemble
from duct_tape.cli import COMMANDS, group
from duct_tape.cli.init import starter
from duct_tape.cli.simulate import simulate
from duct_tape.events import Release
from duct_tape.filename import filename
from duct_tape.hookspecs import HOOKS, HookSpecs
from duct_tape.lint.finding import RULES
from duct_tape.runs import Run
from duct_tape_github.deployments import STATES
from duct_tape_notify.conf import DEFAULT
from duct_tape_notify.message import SAMPLES

COMMAND_LINES = [
    *sorted(COMMANDS), "github send", "notify test", "runs list", "runs show", "runs retry", "runs discard",
    "deliveries list", "deliveries show", "deliveries replay", "runs follow",
]  # fmt: skip


# Where it is said why nothing is deployed.
GITHUB = ("decide", "releases", "pushes", "packages", "builds")


def test_configuration_has_the_tables_that_the_program_prints() -> None:
    result = CliRunner().invoke(group, ["schema", "--format", "markdown"])
    assert result.exit_code == 0
    path = DOCS / "reference/configuration.md"
    hold(path, "<!-- generated: schema -->\n", "<!-- end -->", f"\n{result.output}\n")


@pytest.mark.parametrize("line", COMMAND_LINES)
def test_cli_has_the_help_of_every_command(line: str, tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(str(tmp_path))
    for name in ("DUCT_TAPE_ENV", "DUCT_TAPE_CONFIG", "DUCT_TAPE_BIND", "DUCT_TAPE_VOLUME"):
        monkeypatch.delenv(name, raising=False)
    CliRunner().invoke(group, ["init"])
    with_notify(Path("conf"))
    result = CliRunner().invoke(group, [*line.split(), "--help"], prog_name="duct-tape", terminal_width=80)
    assert result.exit_code == 0, result.output
    path = DOCS / "reference/cli.md"
    hold(path, f"<!-- help: {line} -->\n\n```text\n", "```\n", result.output)


def test_cli_names_no_other_command() -> None:
    found = re.findall(r"^<!-- help: (.*) -->$", page("reference/cli.md"), re.MULTILINE)
    assert sorted(found) == sorted(COMMAND_LINES)


def test_cli_lists_every_rule_of_the_linter() -> None:
    table = rows(after(page("reference/cli.md"), "<!-- values: duct_tape.lint.finding.RULES -->"))
    assert [(rule.strip("`"), meaning) for rule, meaning in table] == list(RULES.items())


def signature(name: str) -> str:
    function = getattr(HookSpecs, name)
    given = inspect.signature(function)
    parameters = [f"{item.name}: {item.annotation}" for item in list(given.parameters.values())[1:]]
    prefix = "async " if inspect.iscoroutinefunction(function) else ""
    return f"{prefix}{name}({', '.join(parameters)}) -> {given.return_annotation}"


def test_hooks_are_headings_with_their_exact_signature_in_order() -> None:
    headings = re.findall(r"^## `(.*)`$", page("reference/hooks.md"), re.MULTILINE)
    assert headings == [signature(name) for name in HOOKS]


def test_every_hook_has_an_example() -> None:
    text = page("reference/hooks.md")
    for name in HOOKS:
        assert re.search(rf"@hookimpl\n(@\w+\n)?(async )?def {name}\(", text), name


def test_api_documents_every_public_name_once_and_no_other() -> None:
    text = page("reference/api.md")
    found = re.findall(r"^\.\. (?:autoclass|autofunction|autoexception|py:data|py:class):: (\w+)", text, re.MULTILINE)
    assert sorted(found) == sorted(api.__all__)


@pytest.mark.parametrize("name", ["duct_tape.flags.Flag", "duct_tape.results.Result"])
def test_the_files_in_the_volume_have_these_keys_in_this_order(name: str) -> None:
    block = after(page("reference/flags-and-results.md"), f"<!-- keys: {name} -->").partition("```\n")[0]
    assert re.findall(r'^  "(\w+)":', block, re.MULTILINE) == [field.name for field in attrs.fields(named(name))]


@pytest.mark.parametrize("name", ["duct_tape.runs.RunState", "duct_tape.results.State"])
def test_states_are_all_explained(name: str) -> None:
    kind = named(name)
    values = (
        [item.value for item in kind] if isinstance(kind, type) and issubclass(kind, Enum) else typing.get_args(kind)
    )
    table = rows(after(page("reference/flags-and-results.md"), f"<!-- values: {name} -->"))
    assert [row[0] for row in table] == [f"`{value}`" for value in values]


def test_every_state_of_a_run_is_one_on_github() -> None:
    table = rows(after(page("how-to/deployment-statuses.md"), "<!-- values: duct_tape_github.deployments.STATES -->"))
    assert {run.strip("`"): shown.strip("`") for run, shown in table} == STATES


def named(name: str) -> typing.Any:
    path, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(path), attribute)


def test_templates_lists_all_that_a_template_can_use() -> None:
    text = page("reference/templates.md")
    for kind, names in (
        ("filters", set(templates._ENVIRONMENT.filters)),
        ("tests", set(templates._TESTS)),
        ("methods of texts", set(templates._METHODS)),
    ):
        (row,) = (line for line in text.splitlines() if line.startswith(f"| {kind} |"))
        assert re.findall(r"`(\w+)`", row) == sorted(names), kind
    variables = {row[0].strip("`") for row in rows(after(text, "## Variables"))}
    release = {f"release.{field.name}" for field in attrs.fields(Release)}
    run = Run(id="1", instance="i", application="a", trigger="t", event=api.Event(name="e", delivery="d"))
    assert variables == {*run.variables(), *release} - {"release"}


def test_templates_has_the_limits() -> None:
    text = page("reference/templates.md")
    assert f"| template | {templates.MAX_SOURCE:,} characters |" in text
    assert f"| result | {templates.MAX_RESULT:,} characters |" in text
    assert f"filter makes | {templates.MAX_TEXT:,} characters |" in text
    assert f"`trim` | {templates.MAX_STRIPPED} characters |" in text


def test_http_has_the_limits_of_json() -> None:
    text = page("reference/http.md").replace("\n", " ")
    assert f"at most {payload.MAX_DEPTH} levels, {payload.MAX_CONTAINERS:,} objects and lists" in text
    assert f"{payload.MAX_COMMAS:,} commas, and numbers of {payload.MAX_NUMBER_DIGITS} digits" in text


def test_notifications_lists_all_that_a_message_can_say() -> None:
    text = page("how-to/notifications.md")
    assert {row[0].strip("`") for row in rows(after(text, "## Words of your own"))} == set(SAMPLES[0])
    assert tuple(row[0].strip("`") for row in rows(after(text, "## What is told, and how often"))) == DEFAULT


def test_file_names_shows_what_the_filter_makes() -> None:
    table = rows(after(page("how-to/file-names.md"), "<!-- table: filename -->"))
    for text, name in table:
        assert filename(text.strip("`")) == name.strip("`")


def test_every_reason_why_a_version_is_ignored_is_explained() -> None:
    plugin = "".join((ROOT / f"plugins/duct_tape_github/{name}.py").read_text() for name in GITHUB)
    core = "".join((ROOT / f"core/duct_tape/{name}.py").read_text() for name in ("repositories", "filters/__init__"))
    journal = "".join(path.read_text() for path in (ROOT / "core/duct_tape/journal").glob("*.py"))
    pages = [page(f"how-to/{name}.md") for name in ("prereleases-and-tags", "deploy-on-push")]
    table = [row for text in pages for row in rows(after(text, "## Why was it ignored?"))]
    for reason, _ in table:
        for piece in re.split(r"…|`(?:push|created)`|the (?:branch|tag) ", reason.strip("`").strip()):
            assert piece.strip(":` ") in plugin + core + journal, reason
    # One row for each sentence of the integration. The rest is said by the core, or begins with a name.
    sentences = re.findall(r'(?:Ignored\(reason=|return )f?"[^"{]', plugin)
    assert len(table) == len(sentences) + 10


def test_the_least_release_is_a_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = (item for item in blocks("json") if item.page == "docs/how-to/try-without-github.md")
    monkeypatch.setenv("SECRET", "4f1d0c5a9b3e4c7d8a6f")
    (tmp_path / "duct_tape.toml").write_text(
        """
        [plugins.touch-file]
        [triggers.deploy]
        action = "touch-file"
        [plugins.github]
        secrets = [{ env = "SECRET" }]
        triggers = ["deploy"]
        repositories."acme/shop".application = "shop.example.com"
        """
    )
    answer = simulate(assemble(tmp_path / "duct_tape.toml").require(), "github", "release", block.text.encode())
    assert [run["preview"]["flag"] for run in answer["runs"]] == ["shop.example.com"]


def test_the_starter_configuration_points_to_a_page_that_exists() -> None:
    assert "docs/reference/configuration.md" in starter()
