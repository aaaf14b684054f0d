"""``duct-tape init``: a starter configuration and a strong secret, and nothing is overwritten."""

from __future__ import annotations

import errno
import os
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from duct_tape.cli.init import starter

Cli = Callable[..., Any]


WRITTEN = ("duct_tape.toml", "duct_tape.schema.json", "secrets/github")


def test_what_is_written_is_checked_without_a_problem(cli: Cli, folder: Path) -> None:
    ended = cli("init")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("".join(f"wrote  conf/{name}\n" for name in WRITTEN))
    assert (folder / "conf/duct_tape.toml").read_text("utf-8") == starter()
    secret = folder / "conf/secrets/github"
    assert re.fullmatch(r"[0-9a-f]{64}\n", secret.read_text())
    assert secret.read_text().strip() not in ended.out
    assert secret.stat().st_mode & 0o777 == 0o600
    ended = cli("check")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (
        "conf/duct_tape.toml is fine (plugins: touch-file, github; triggers: deploy)\n"
        "github: example/hello → hello.example.com by deploy\n"
    )


def test_a_second_time_changes_nothing(cli: Cli, folder: Path) -> None:
    cli("init")
    files = [folder / "conf/duct_tape.toml", folder / "conf/secrets/github"]
    files[0].write_text("# mine\n")
    before = [(path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) for path in files]
    ended = cli("init")
    assert ended.code == 0
    assert ended.out.startswith("".join(f"kept   conf/{name}\n" for name in WRITTEN))
    assert [(path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) for path in files] == before


def test_two_secrets_are_never_the_same(cli: Cli, folder: Path) -> None:
    cli("init", "--directory", "a")
    cli("init", "--directory", "b")
    assert (folder / "a/secrets/github").read_text() != (folder / "b/secrets/github").read_text()


@pytest.mark.parametrize("directory", ["elsewhere/conf", 'a "quoted" \\ folder', "ü"])
def test_another_folder(cli: Cli, folder: Path, directory: str) -> None:
    ended = cli("init", "--directory", directory)
    assert ended.code == 0
    configuration = Path(directory) / "duct_tape.toml"
    assert f"run `duct-tape check --config {configuration}`." in ended.out
    data = tomllib.loads((folder / configuration).read_text("utf-8"))
    assert data["plugins"]["github"]["secrets"] == [{"file": f"{directory}/secrets/github"}]
    assert cli("check", "--config", str(configuration)).code == 0


def test_the_next_steps_name_the_address(cli: Cli) -> None:
    ended = cli("init", "--url", "https://hooks.example.com/")
    assert "  Payload URL    https://hooks.example.com/integrations/github\n" in ended.out
    assert "run `duct-tape check`." in ended.out


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda path: (path / "secrets").touch(), "error: conf/secrets cannot be written: File exists\n"),
        (
            lambda path: (path / "duct_tape.toml").symlink_to("nowhere"),
            "error: conf/duct_tape.toml cannot be written: File exists\n",
        ),
    ],
)
def test_what_cannot_be_written(cli: Cli, folder: Path, make: Callable[[Path], None], text: str) -> None:
    (folder / "conf").mkdir()
    make(folder / "conf")
    ended = cli("init")
    assert (ended.code, ended.err) == (1, text)


def test_half_a_secret_is_not_left_behind(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fdopen

    def full(handle: int, *arguments: Any) -> Any:
        real(handle, *arguments).close()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdopen", full)
        ended = cli("init")
    assert (ended.code, ended.err) == (1, "error: conf/duct_tape.toml cannot be written: No space left on device\n")
    assert os.listdir(folder / "conf") == []
    assert cli("init").code == 0


@pytest.mark.parametrize("url", ["hooks.example.com", "ssh://hooks.example.com", ""])
def test_a_url_that_is_none_is_wrong_usage(cli: Cli, folder: Path, url: str) -> None:
    ended = cli("init", "--url", url)
    assert ended.code == 2
    assert f"{url!r} is not a URL such as 'https://hooks.example.com'" in ended.err
    assert not list(folder.iterdir())
