"""What is wrong with a table, found before any delivery."""

from __future__ import annotations

from pathlib import Path

import pytest

from duct_tape.assembly import assemble
from duct_tape.cli.check import check

CONFIGURATION = """
[triggers.deploy]
action = "touch-file"
[plugins.touch-file]
[plugins.ci]
use = "webhook"
secrets = [{ env = "CI_SECRET" }]
triggers = ["deploy"]
"""
HMAC = '[plugins.ci.hmac]\nheader = "X-Signature"\n'
TOKEN = '[plugins.ci.token]\nheader = "Authorization"\n'
RULE = '[plugins.ci.rules.release]\napplication = "shop"\nversion = "{{ payload.version }}"\n'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI_SECRET", "4f1d0c5a9b3e4c7d8a6f")
    monkeypatch.chdir(tmp_path)


def problems(text: str, configuration: str = CONFIGURATION) -> list[str]:
    path = Path("duct_tape.toml")
    path.write_text(configuration + text)
    return [str(problem) for problem in check(assemble(path))]


@pytest.mark.parametrize("text", [HMAC, TOKEN, HMAC + RULE, TOKEN + 'prefix = "Bearer "\n' + RULE])
def test_what_is_fine(text: str) -> None:
    assert problems(text) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "there is neither `hmac` nor `token`, in plugins.ci (duct_tape.toml); one of them says how"),
        (HMAC + TOKEN, "there are `hmac` and `token`, in plugins.ci (duct_tape.toml); one of them says how"),
        (HMAC + 'algorithm = "sha1"\n', 'expected one of "sha256", "sha384", "sha512"'),
        (HMAC + 'encoding = "base32"\n', 'expected one of "hex", "base64"'),
        (HMAC.replace("X-Signature", "X Signature"), "'X Signature' is no name of a header, in plugins.ci.hmac.header"),
        (HMAC + 'prefix = "sha256→"\n', "no header can begin with that, in plugins.ci.hmac.prefix"),
        (TOKEN.replace("Authorization", ""), "'' is no name of a header, in plugins.ci.token.header"),
        (TOKEN + 'prefix = "a\\n"\n', "no header can begin with that, in plugins.ci.token.prefix"),
        ('delivery_header = "a:"\n' + HMAC, "'a:' is no name of a header, in plugins.ci.delivery_header"),
        (
            'delivery_header = "X-Id"\ndelivery = "{{ payload.id }}"\n' + HMAC,
            "there are `delivery` and `delivery_header`, in plugins.ci.delivery",
        ),
        (HMAC + RULE.replace("{{ payload.version }}", "main"), "in plugins.ci.rules.release.version"),
        (HMAC + RULE + "when = 'payload.x ='\n", "the filter cannot be used"),
        (HMAC + RULE + "triggers = []\n", "the rule `release` has no trigger, in plugins.ci.rules.release"),
        (HMAC + RULE + 'sample = "none.json"\n', "its own sample cannot be used: none.json cannot be read (No such"),
    ],
)
def test_what_is_wrong(text: str, problem: str) -> None:
    found = problems(text)
    assert len(found) == 1, found
    assert problem in found[0]


def test_there_must_be_a_secret() -> None:
    wrong = CONFIGURATION.replace('{ env = "CI_SECRET" }', "")
    assert "`secrets` is empty, in plugins.ci.secrets" in problems(HMAC, wrong)[0]


@pytest.mark.parametrize(
    ("sample", "problem"),
    [
        ('{"version": "v1", "label": "x"}', ""),
        (
            '{"version": "v1"}',
            "its own sample would fail in trigger `deploy`: template '{{ payload.label }}': there is no",
        ),
        ('{"tag": "v1"}', "its own sample would not be deployed: rule `release`: `version` cannot be made"),
        ('{"version": "v2"}', "its own sample would not be deployed: rule `release`: the filter"),
        ("{", "its own sample cannot be used: the body is not JSON in UTF-8, in plugins.ci"),
    ],
)
def test_a_rule_is_tried_on_its_sample(sample: str, problem: str) -> None:
    Path("sample.json").write_text(sample)
    configuration = CONFIGURATION.replace('"touch-file"\n', '"touch-file"\nfilename = "{{ payload.label }}"\n', 1)
    rule = RULE + 'sample = "sample.json"\nwhen = \'not payload.version == "v2" or not exists payload.version\'\n'
    # Another rule for the same payload is another matter.
    other = RULE.replace("release", "other") + 'triggers = ["other"]\n[triggers.other]\naction = "touch-file"\n'
    found = problems(HMAC + rule + other, configuration)
    assert len(found) == bool(problem), found
    assert problem in "".join(found)


def test_of_several_rules_each_has_its_own_sample() -> None:
    Path("one.json").write_text('{"kind": 1, "version": "v1"}')
    Path("two.json").write_text('{"kind": 2, "version": "v1"}')
    text = HMAC
    for number, name in ((1, "one"), (2, "two")):
        text += RULE.replace("release", name) + f'when = "payload.kind == {number}"\nsample = "{name}.json"\n'
    assert problems(text) == []
    assert len(problems(text.replace("kind == 2", "kind == 1"))) == 1


def test_a_trigger_that_needs_the_payload_is_fine_without_a_sample() -> None:
    configuration = CONFIGURATION.replace('"touch-file"\n', '"touch-file"\nfilename = "{{ payload.label }}"\n', 1)
    assert problems(HMAC + RULE, configuration) == []
    assert "no integration uses this trigger" in problems(HMAC, configuration)[0]
