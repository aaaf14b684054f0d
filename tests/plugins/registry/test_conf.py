"""The plugin's table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from duct_tape.assembly import assemble

if TYPE_CHECKING:
    from pathlib import Path

    from tests.plugins.registry.conftest import Registry

GOOD = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """What is wrong with this table and this secret."""

    def found(table: str, secret: str = GOOD) -> list[str]:
        monkeypatch.setenv("SECRET", secret)
        path = tmp_path / "duct_tape.toml"
        path.write_text(
            f'[triggers.deploy]\naction = "touch-file"\n[plugins.touch-file]\n[plugins.registry]\n{table}\n'
        )
        return [str(problem).replace(f" ({path})", "") for problem in assemble(path).problems]

    return found


SECRETS = 'secrets = [{ env = "SECRET" }]'
HUB, GHCR = f'kind = "docker-hub"\n{SECRETS}', f'kind = "ghcr"\n{SECRETS}'


@pytest.mark.parametrize("table", [HUB, GHCR])
def test_a_good_table(problems: Callable[..., list[str]], table: str) -> None:
    assert problems(table) == []


@pytest.mark.parametrize(
    "secret",
    [
        "a secret with spaces in it, long",
        "0123456789abcdefgh",
        "/a/secret/as/if/it/were/paths",
        f"ä{GOOD}",
        f"%41{GOOD}",
    ],
)
def test_the_end_of_a_url_can_be_neither_short_nor_escaped(problems: Callable[..., list[str]], secret: str) -> None:
    [problem] = problems(HUB, secret)
    assert problem.startswith("the environment variable SECRET holds no secret that can be the end of a URL, in ")
    assert secret not in problem
    assert problems(GHCR, secret) == []


def test_without_a_secret_nothing_starts(problems: Callable[..., list[str]]) -> None:
    [problem] = problems('kind = "docker-hub"\nsecrets = []')
    assert problem.startswith("`secrets` is empty, in plugins.registry.secrets;")


def test_the_registry_has_to_be_named(problems: Callable[..., list[str]]) -> None:
    assert problems(SECRETS) == ["the key `kind` is missing in plugins.registry"]
    [problem] = problems(f'kind = "dockerhub"\n{SECRETS}')
    assert problem.endswith("did you mean `docker-hub`?")


def test_there_are_images_only(problems: Callable[..., list[str]]) -> None:
    table = '[plugins.registry.repositories."a/b"]\napplication = "x"\ntriggers = ["deploy"]\non = ["release"]'
    [problem] = problems(f"{HUB}\n{table}")
    assert problem.startswith('expected one of "package"')


@pytest.mark.parametrize(
    "name",
    ["ghcr.io/a/b", "docker.io/a/b", "index.docker.io/a/b", "a/b:v1", "a/b@sha256:1", "https://ghcr.io/a/b", "b"],
)
def test_an_image_is_named_without_registry_and_tag(problems: Callable[..., list[str]], name: str) -> None:
    [problem] = problems(f'{GHCR}\nrepositories."{name}" = {{ application = "x", triggers = ["deploy"] }}')
    assert problem.startswith(f"`{name}` is not a repository, in ")
    assert problem.endswith('write "owner/image"')


@pytest.mark.parametrize("name", ["a/b", "a/*", "*", "ghcr/b", "a/b/c"])
def test_names_and_patterns_of_images(problems: Callable[..., list[str]], name: str) -> None:
    assert problems(f'{GHCR}\nrepositories."{name}" = {{ application = "x", triggers = ["deploy"] }}') == []


def test_no_secret_is_in_a_repr(hub: Registry) -> None:
    assert hub.secret.reveal().decode() not in repr(hub.conf())
