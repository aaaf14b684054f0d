"""The sender's side: samples of what is configured, and what would come of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from tests.server_support import plugin
from tests.toolbox_support import CONFIGURATION, SECRET, forge, sample

from duct_tape.api import MalformedError, RepositoriesConf, Repository, Sample, Template
from duct_tape.assembly import Assembly, assemble
from duct_tape.cli.check import check
from duct_tape.errors import DuctTapeError
from duct_tape.sample import matching, samples
from duct_tape.senders import first_sample, receiver_of, receives, sample_delivery

Assembled = Callable[..., Assembly]


@pytest.fixture
def assembled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Assembled:
    monkeypatch.setenv("FORGE_SECRET", SECRET)
    monkeypatch.chdir(tmp_path)

    def assembled(text: str = "", configuration: str = CONFIGURATION, **plugins: Any) -> Assembly:
        path = tmp_path / "duct_tape.toml"
        path.write_text(configuration + text)
        return assemble(path, {"forge": forge(), **plugins})

    return assembled


def conf(**repositories: Any) -> RepositoriesConf:
    known = {name: Repository(application=Template("app"), **given) for name, given in repositories.items()}
    return RepositoriesConf(repositories=known)


def test_each_repository_is_tried_in_each_kind_with_each_pattern() -> None:
    found = samples(
        conf(
            plain={},
            many={"on": ("release", "tag"), "tags": ("v*", "w?"), "prereleases": True},
            main={"on": ("branch",)},
        )
    )
    assert [(one.repository, one.kind, one.tag, one.prerelease) for one in found] == [
        ("plain", "release", "v1.0.0", False),
        ("many", "release", "v1.0.0", False),
        ("many", "release", "v1.0.0", True),
        ("many", "release", "w1", False),
        ("many", "release", "w1", True),
        ("many", "tag", "v1.0.0", False),
        ("many", "tag", "w1", False),
        ("main", "branch", "main", False),
    ]


@pytest.mark.parametrize(
    ("pattern", "name"),
    [("v*", "v1.0.0"), ("*-*", "1-1"), ("v[0-9].?", "v0.1"), ("[!v]x", "xx"), ("", "v1.0.0"), ("plain", "plain")],
)
def test_a_name_for_a_pattern(pattern: str, name: str) -> None:
    assert matching(pattern) == name


def test_the_first_sample_is_of_what_is_configured(assembled: Assembled) -> None:
    assembly = assembled('[plugins.forge.repositories."acme/*"]\napplication = "x"\n')
    assert first_sample(assembly, "forge") == Sample(repository="acme/site")
    assert first_sample(assembly, "touch-file") == first_sample(assembly, "nobody") == Sample()
    [_, pattern] = samples(assembly.instance("forge").config)  # type: ignore[union-attr]
    assert pattern.repository == "acme/hello"


def test_a_sample_is_signed_or_not(assembled: Assembled) -> None:
    assembly = assembled()
    signed = sample_delivery(assembly, "forge")
    receiver_of(assembly, "forge").verifier.verify(signed)
    assert sample_delivery(assembly, "forge", signed=False).values("x-signature") == ()
    assert signed.body == sample(Sample(repository="acme/site")).body


def test_who_receives_and_who_does_not(assembled: Assembled) -> None:
    def fails(ctx: Any) -> None:
        raise ValueError("broken")

    assembly = assembled("[plugins.off]\n[plugins.mute]\n", off=plugin(setup=fails), mute=plugin())
    for name, message in {
        "nobody": "there is no `nobody` under [plugins]; there are: touch-file, forge, off, mute",
        "off": "plugin off is off: setup: ValueError: broken",
        "mute": "plugin mute receives no webhooks",
    }.items():
        with pytest.raises(DuctTapeError) as error:
            receiver_of(assembly, name)
        assert str(error.value) == message
    assert [instance.name for instance in assembly.registry if receives(instance)] == ["forge"]


def problems(assembly: Assembly) -> list[str]:
    return [str(problem) for problem in check(assembly)]


def test_every_template_is_tried_for_every_repository(assembled: Assembled) -> None:
    more = """
when = 'payload.nothing == 1'
tags = ["w*"]
triggers = ["deploy", "vars", "payload"]
on = ["release", "tag"]
[triggers.vars]
action = "touch-file"
filename = "{{ vars.missing }}"
[triggers.payload]
action = "touch-file"
filename = "{{ payload.missing }}"
"""
    one, two, three, four = problems(assembled(more))
    assert "a release would fail in trigger `vars`: template '{{ vars.missing }}'" in one
    assert 'in plugins.forge.repositories."acme/site"' in one
    assert "duct_tape.toml" in one
    assert "a release would fail in trigger `payload`" in two
    assert ("a tag would" in three, "a tag would" in four) == (True, True)


def test_an_application_without_a_name_is_told(assembled: Assembled) -> None:
    """Its template is tried, too: a version would be ignored in silence."""
    pattern = '[plugins.forge.repositories."acme/*"]\napplication = "{{ vars.missing }}"\n'
    [problem] = problems(assembled(pattern))
    assert problem.startswith("a release would not be deployed: the application's name cannot be made: ")
    assert 'in plugins.forge.repositories."acme/*"' in problem


def test_all_is_well(assembled: Assembled) -> None:
    assert problems(assembled('when = "payload.other"\n')) == []


def test_a_plugin_that_cannot_read_its_own_sample(assembled: Assembled) -> None:
    assembly = assembled()
    instance = assembly.instance("forge")
    assert instance is not None

    def parse(delivery: object) -> Any:
        raise MalformedError("`x` is missing")

    route: Any = instance.routes[0]
    route.receiver = evolve(route.receiver, parse=parse)
    [problem] = problems(assembly)
    assert problem.startswith("the plugin cannot read its own sample: `x` is missing, in plugins.forge")
