"""``duct-tape plugins``: what is installed, enabled and broken."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

Cli = Callable[..., Any]
Configure = Callable[..., Path]
Offer = Callable[..., None]


def test_enabled_and_installed_ones(cli: Cli, configure: Configure) -> None:
    configure("[plugins.touch-file]\n")
    ended = cli("plugins")
    assert (ended.code, ended.err) == (0, "")
    lines = [re.split(r"  +", line) for line in ended.out.splitlines()]
    assert lines[0] == ["INSTANCE", "PLUGIN", "DISTRIBUTION", "ENABLED", "IMPORT", "HOOKS", "ERROR"]
    assert lines[1][:4] == ["touch-file", "touch-file", "duct-tape-plugins 1.0.0", "yes"]
    assert re.fullmatch(r"[0-9.]+ ms", lines[1][4])
    assert "actions" in lines[1][5].split()
    assert ["-", "github", "duct-tape-plugins 1.0.0", "no", "-", "-"] in lines


def test_json(cli: Cli, configure: Configure) -> None:
    configure("[plugins.touch-file]\n")
    ended = cli("plugins", "--json")
    assert ended.code == 0
    result = json.loads(ended.out)
    assert result["problems"] == []
    enabled, other = (
        next(row for row in result["plugins"] if row["plugin"] == name) for name in ("touch-file", "github")
    )
    assert enabled.keys() == other.keys()
    assert (enabled["enabled"], other["enabled"], other["instance"]) == (True, False, None)


def test_a_broken_one(cli: Cli, configure: Configure, offer: Offer) -> None:
    offer()
    configure("[plugins.x]\n")
    ended = cli("plugins")
    assert ended.code == 1
    assert "register: it does not say for which API it was written; add DUCT_TAPE_API = (1, 0)" in ended.out


def test_a_wrong_configuration(cli: Cli, configure: Configure) -> None:
    configure("[plugins.githbu]\n")
    ended = cli("plugins")
    assert ended.code == 1
    assert ended.err == (
        "error: no plugin `githbu` is installed, in plugins.githbu (conf/duct_tape.toml); did you mean `github`?\n"
    )
    assert "github" in ended.out
    assert json.loads(cli("plugins", "--json").out)["problems"] == [ended.err.removeprefix("error: ").strip()]


def test_without_a_configuration_what_is_installed_is_listed_all_the_same(cli: Cli) -> None:
    ended = cli("plugins")
    assert ended.code == 1
    assert "touch-file" in ended.out
    assert ended.err.startswith("error: there is no configuration file conf/duct_tape.toml; ")
