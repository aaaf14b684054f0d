"""Commands of plugins, as ``duct-tape INSTANCE COMMAND``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

Cli = Callable[..., Any]
Configure = Callable[..., Path]
Offer = Callable[..., None]


@click.command("greet")
def greet() -> int:
    """Greet somebody."""
    click.echo("hello")
    return 3


def explodes() -> None:
    raise RuntimeError("boom")


def commands() -> list[click.Command]:
    return [greet]


def test_a_command_of_an_instance(cli: Cli, configure: Configure, offer: Offer) -> None:
    offer(commands=commands)
    configure('[plugins.my-x]\nuse = "x"\n')
    ended = cli("my-x", "greet")
    assert (ended.code, ended.out) == (3, "hello\n")
    ended = cli("my-x", "--help")
    assert ended.code == 0
    assert "Commands of the plugin my-x." in ended.out
    assert "greet  Greet somebody." in ended.out
    assert cli("x", "greet").code == 2


def test_the_help_of_a_bundled_command_has_an_example(cli: Cli, configure: Configure) -> None:
    configure()
    ended = cli("github", "send", "--help")
    assert ended.code == 0
    assert "Example: duct-tape github send --repository acme/site --tag v1.2.3" in ended.out


def test_an_instance_without_commands(cli: Cli, configure: Configure) -> None:
    configure()
    ended = cli("touch-file", "greet")
    assert (ended.code, ended.err) == (1, "Error: plugin touch-file has no commands\n")


def test_an_instance_that_is_off(cli: Cli, configure: Configure, offer: Offer) -> None:
    offer(setup=explodes, commands=commands)
    configure("[plugins.x]\n")
    ended = cli("x", "greet")
    assert (ended.code, ended.err) == (1, "Error: plugin x is off: setup: RuntimeError: boom\n")


def test_commands_that_cannot_be_offered(cli: Cli, configure: Configure, offer: Offer) -> None:
    offer(commands=explodes)
    configure("[plugins.x]\n")
    ended = cli("x", "greet")
    assert (ended.code, ended.err) == (1, "Error: plugin x failed to offer its commands: RuntimeError: boom\n")


def test_a_wrong_configuration(cli: Cli, configure: Configure) -> None:
    configure("[plugins.github]\nsecrets = 1\n")
    ended = cli("github", "send")
    assert ended.code == 1
    assert ended.err == (
        "error: expected a list and not a whole number, in plugins.github.secrets (conf/duct_tape.toml)\n"
    )


@pytest.mark.parametrize(
    ("offered", "text"),
    [
        ([1], "int is not a click command"),
        (greet.callback, "function is not a click command"),
        (1, "ducttape_commands must return click commands"),
        ([greet, greet], "two commands are called `greet`"),
        ([click.Command(None)], "a command has no name"),
    ],
)
def test_what_is_no_command_is_said(cli: Cli, configure: Configure, offer: Offer, offered: Any, text: str) -> None:
    offer(commands=lambda: [offered] if callable(offered) else offered)
    configure("[plugins.x]\n")
    ended = cli("x", "--help")
    assert (ended.code, ended.err) == (1, f"Error: plugin x failed to offer its commands: {text}\n")
