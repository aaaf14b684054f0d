"""The JSON Schema: it takes what the server takes and refuses typical mistakes."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pytest
from attrs import field, frozen
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from duct_tape.cli import group
from duct_tape.conf.options import Address, Seconds, Size, option
from duct_tape.conf.schema import class_schema, first_line, schema, type_schema
from duct_tape.conf.sections import Sections, sections
from duct_tape.secret import Secret
from duct_tape.templates import Template

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    made = schema(sections())
    Draft202012Validator.check_schema(made)
    return Draft202012Validator(made)


def shipped() -> dict[str, Any]:
    return tomllib.loads((ROOT / "conf/duct_tape.toml").read_text("utf-8"))


def test_the_shipped_configuration_is_the_starter() -> None:
    starter = ROOT / "core/duct_tape/conf/starter.toml"
    assert (ROOT / "conf/duct_tape.toml").read_bytes() == starter.read_bytes()


def test_the_file_in_the_repository_is_what_the_command_prints() -> None:
    result = CliRunner().invoke(group, ["schema"])
    assert (ROOT / "conf/duct_tape.schema.json").read_text("utf-8") == result.stdout, (
        "run: duct-tape schema > conf/duct_tape.schema.json"
    )


def test_the_shipped_configuration_is_valid(validator: Draft202012Validator) -> None:
    validator.validate(shipped())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[plugins.other]\nuse = 'github'\nanything = 1",
        "[plugins.touch-file]\nuse = 'touch-file'",
        "[admin]\ntoken = { env = 'X' }",
        "[server]\nbind = ['unix:/x']\nbody_timeout = 1\n[log]\nlevel = 'debug'",
        "[plugins.github]\nsecrets = []\nvars = { a = { b = [1] } }",
    ],
)
def test_what_the_reader_takes(validator: Draft202012Validator, text: str) -> None:
    validator.validate(tomllib.loads(text))


@pytest.mark.parametrize(
    "text",
    [
        "[sever]",
        "colour = 'blue'",
        "[server]\nbnid = ['x:1']",
        "[server]\nbind = 'x:1'",
        "[server]\nmax_body = '25'",
        "[server]\nmax_body = 0",
        "[server]\nbody_timeout = true",
        "[server]\nbody_timeout = 0",
        "[log]\nlevel = 'loud'",
        "[volume]\npath = 1",
        "[admin]",
        "[admin]\ntoken = 'x'",
        "[admin]\ntoken = { value = 'x' }",
        "[admin]\ntoken = { env = '' }",
        "[admin]\ntoken = { env = 'X', file = 'Y' }",
        "[triggers.a]",
        "[triggers.a]\naction = 'touch-fil'",
        "[triggers.a]\naction = 'touch-file'\nfilenam = 'x'",
        "[triggers.a]\naction = 'touch-file'\nfilename = 1",
        "[plugins.github]",
        "[plugins.github]\nsecrets = { env = 'X' }",
        "[plugins.github]\nsecrets = []\nsecrect = 1",
        "[plugins.github]\nsecrets = []\n[plugins.github.repositories.'a/b']",
        "[plugins.github]\nsecrets = []\n[plugins.github.repositories.'a/b']\napplication = 'a'\nprereleases = 'no'",
        "[plugins.githbu]\nsecrets = []",
        "[plugins]\ngithub = 1",
    ],
)
def test_typical_mistakes(validator: Draft202012Validator, text: str) -> None:
    assert not validator.is_valid(tomllib.loads(text))


@frozen
class Inner:
    number: int


@frozen(kw_only=True)
class Example:
    """An example.

    More about it.
    """

    text: str = option("A text.")
    optional: str | None = option("A text or none.", default="x")
    switch: bool = False
    made: int = field(init=False, default=1)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (str, {"type": "string"}),
        (Path, {"type": "string"}),
        (Address, {"type": "string"}),
        (Template, {"type": "string", "maxLength": 4096}),
        (Seconds, {"type": "number", "exclusiveMinimum": 0}),
        (Size, {"type": "integer", "minimum": 1}),
        (Literal["a", "b"], {"enum": ["a", "b"]}),
        (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}),
        (tuple[int, ...] | None, {"type": "array", "items": {"type": "integer"}}),
        (Mapping[str, Any], {"type": "object", "additionalProperties": {}}),
        (Any, {}),
        (complex, {}),
    ],
)
def test_types(kind: Any, expected: dict[str, Any]) -> None:
    assert type_schema(kind) == expected


def test_classes() -> None:
    assert class_schema(Example) == {
        "type": "object",
        "description": "An example.",
        "properties": {
            "text": {"type": "string", "description": "A text."},
            "optional": {"type": "string", "description": "A text or none.", "default": "x"},
            "switch": {"type": "boolean", "default": False},
        },
        "additionalProperties": False,
        "required": ["text"],
    }
    assert type_schema(Mapping[str, Inner])["additionalProperties"]["required"] == ["number"]
    assert type_schema(Secret)["oneOf"][0]["required"] == ["env"]


def test_a_class_without_a_docstring() -> None:
    class Blank:
        """ """

    assert (first_line(Blank), first_line(type("Bare", (), {"__doc__": None}))) == ("", "")


def test_without_plugins_it_is_a_schema_too() -> None:
    made = schema(Sections(plugins={"bare": None}))
    Draft202012Validator.check_schema(made)
    assert json.loads(json.dumps(made)) == made
    assert not Draft202012Validator(made).is_valid({"plugins": {"bare": {"key": 1}}})
    assert Draft202012Validator(made).is_valid({"plugins": {"bare": {}}, "triggers": {"a": {"action": "x"}}})
